#include "reset.hpp"

#include <boost/asio/ip/tcp.hpp>

#include "http/connection.hpp"

namespace mock {

namespace {

// No server but this one wants its connections reset, so the HTTP library has no function for it.
// Explicit instantiation may name private members: that is how this gets at the socket.
template <class Key, typename Key::Member member>
struct Opened {
  friend typename Key::Member member_of(Key) { return member; }
};

struct TheConnection {
  using Member = std::shared_ptr<http::Connection> http::Responder::*;
  friend Member member_of(TheConnection);
};
struct TheSocket {
  using Member = boost::asio::ip::tcp::socket http::Connection::*;
  friend Member member_of(TheSocket);
};
template struct Opened<TheConnection, &http::Responder::connection_>;
template struct Opened<TheSocket, &http::Connection::socket_>;

}  // namespace

void reset(http::Responder& responder) {
  const auto& connection = responder.*member_of(TheConnection{});
  if (!connection) return;
  boost::system::error_code ignored;  // of a socket that is closed already
  boost::asio::ip::tcp::socket& socket = (*connection).*member_of(TheSocket{});
  socket.set_option(boost::asio::socket_base::linger(true, 0), ignored);
  responder.abort();
}

}  // namespace mock
