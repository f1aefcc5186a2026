/// One request over a connection of its own, for the commands that ask a gateway on this machine.
#pragma once

#include <llmroute/result.hpp>
#include <map>
#include <string>
#include <string_view>

namespace gateway {

struct Exchange {
  int status = 0;
  std::map<std::string, std::string> fields{};  ///< names in lower case
  std::string body{};

  /// A field's value; empty: there is none.
  std::string_view field(const std::string& name) const;
};

/// `fields` are whole lines: "Authorization: Bearer x\r\n". Blocks until the answer is there. For
/// answers with a Content-Length, or whose end is that of the connection.
llmroute::Result<Exchange> http_exchange(int port, std::string_view method, std::string_view path,
                                         std::string_view fields, std::string_view body);

}  // namespace gateway
