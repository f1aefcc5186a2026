/// Requests and answers as values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace http {

/// One header field; the views belong to whatever it came from.
struct Field {
  std::string_view name;
  std::string_view value;
};

/// A request. Method, target and fields are views of the head as it was received, kept in one
/// piece: two allocations a request, however many fields it has.
class Request {
 public:
  std::string_view method() const noexcept { return view(method_); }
  std::string_view target() const noexcept { return view(target_); }  ///< "/path?query"
  std::string_view path() const noexcept { return target().substr(0, target().find('?')); }

  std::size_t size() const noexcept { return fields_.size(); }
  Field field(std::size_t i) const noexcept {
    return {view(fields_[i].name), view(fields_[i].value)};
  }

  /// The value of the first field of that name, ASCII case aside.
  std::optional<std::string_view> find(std::string_view name) const noexcept;

  bool http_1_0() const noexcept { return http_1_0_; }
  bool keep_alive() const noexcept { return keep_alive_; }
  int listener() const noexcept { return listener_; }  ///< the tag of Server::listen

  /// The caller's address: the connection's, or, where that is a trusted proxy's, the one it has
  /// passed on. Valid as long as this and the connection.
  std::string_view client() const noexcept { return client_.length > 0 ? view(client_) : peer_; }

  std::string body{};

  /// Time has passed between Handler::on_head and on_request: it was waited for the body.
  bool body_came_later() const noexcept { return body_came_later_; }

  /// What the program found out when it had the head; its own, carried along to the whole request.
  std::shared_ptr<const void> note{};

 private:
  friend class Connection;
  friend class HeadParser;
  struct Place {
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
  };
  struct FieldPlace {
    Place name;
    Place value;
  };
  void come_from(std::string_view client_in_head) noexcept {
    client_ = {static_cast<std::uint32_t>(client_in_head.data() - head_.data()),
               static_cast<std::uint32_t>(client_in_head.size())};
  }
  std::string_view view(Place place) const noexcept {
    return std::string_view(head_).substr(place.offset, place.length);
  }

  std::string head_{};
  Place method_{};
  Place target_{};
  std::vector<FieldPlace> fields_{};
  std::string_view peer_{};
  Place client_{};
  int listener_ = 0;
  bool http_1_0_ = false;
  bool keep_alive_ = true;
  bool body_came_later_ = false;
};

/// Blanks, visible characters and bytes of UTF-8: nothing that a recipient could take for the end
/// of a field (RFC 9110, section 5.5).
bool is_field_text(std::string_view text) noexcept;

/// What methods and field names are made of (RFC 9110, section 5.6.2).
bool is_token(std::string_view text) noexcept;

/// Header fields of an answer, ready to be sent.
class Fields {
 public:
  /// A value with a control character in it is left out whole: it could end the field, or the head,
  /// early.
  Fields& add(std::string_view name, std::string_view value);

  std::string_view text() const noexcept { return text_; }

 private:
  std::string text_;
};

/// A whole answer. Content-Length, Date and Connection are the server's to add.
struct Response {
  int status = 200;
  Fields fields{};
  std::string body{};
};

/// "Not Found" for 404.
std::string_view reason_phrase(int status) noexcept;

}  // namespace http
