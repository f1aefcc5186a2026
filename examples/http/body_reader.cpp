/// The chunked coding, a line at a time.
#include "body_reader.hpp"

#include <algorithm>
#include <charconv>
#include <llmroute/headers.hpp>

namespace http {

std::size_t BodyReader::take(std::string_view bytes, std::string& body) {
  if (!chunked_) return take_data(bytes, body);
  std::size_t used = 0;
  while (used < bytes.size() && !fault_ && state_ != State::end) {
    const std::string_view rest = bytes.substr(used);
    used += state_ == State::data ? take_data(rest, body) : take_line(rest, body);
  }
  return used;
}

std::size_t BodyReader::take_data(std::string_view bytes, std::string& body) {
  const auto used = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_));
  body.append(bytes.substr(0, used));
  left_ -= used;
  if (chunked_ && left_ == 0) state_ = State::data_end;
  return used;
}

std::size_t BodyReader::take_line(std::string_view bytes, std::string& body) {
  const std::size_t newline = bytes.find('\n');
  const std::size_t used = newline == bytes.npos ? bytes.size() : newline + 1;
  line_.append(bytes.substr(0, used));
  const std::size_t most = state_ == State::trailer ? limits_.trailers : limits_.extension + 20;
  if (state_ == State::data_end && !std::string_view("\r\n").starts_with(line_)) {
    fault_ = {400, "a chunk must end with CR LF"};
  } else if (line_.size() > most) {
    fault_ = {400, "a chunk's extension, or a trailer, is too long"};
  } else if (newline != bytes.npos) {
    on_line(body);
    line_.clear();
  }
  return used;
}

void BodyReader::on_line(std::string& body) {
  if (line_.size() < 2 || line_[line_.size() - 2] != '\r') {
    fault_ = {400, "a line must end with CR LF"};
    return;
  }
  line_.resize(line_.size() - 2);
  if (state_ == State::data_end) {
    state_ = State::size;
  } else if (state_ == State::size) {
    on_size_line(body);
  } else {
    on_trailer_line();
  }
}

void BodyReader::on_size_line(std::string& body) {
  const std::size_t digits =
      std::min(line_.find_first_not_of("0123456789abcdefABCDEF"), line_.size());
  const std::string_view extension = std::string_view(line_).substr(digits);
  const bool clean = std::none_of(extension.begin(), extension.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
  if (digits == 0 || digits > 16 || !clean || !(extension.empty() || extension[0] == ';')) {
    fault_ = {400, "a chunk's size must be 1 to 16 hexadecimal digits"};
    return;
  }
  extensions_ += extension.size();
  if (extension.size() > limits_.extension || extensions_ > limits_.all_extensions) {
    fault_ = {400, "a chunk's extension is too long"};
    return;
  }
  std::from_chars(line_.data(), line_.data() + digits, left_, 16);
  if (left_ > limits_.body - std::min(body.size(), limits_.body)) {
    fault_ = {413, "the body is too long"};
    return;
  }
  state_ = left_ == 0 ? State::trailer : State::data;
}

/// Trailers are checked and dropped: merged into the head they could say what the head may not.
void BodyReader::on_trailer_line() {
  if (line_.empty()) {
    state_ = State::end;
    return;
  }
  trailers_ += line_.size();
  const std::optional<Field> field = split_field(line_);
  if (trailers_ > limits_.trailers) {
    fault_ = {400, "the trailers are too long"};
  } else if (!field) {
    fault_ = {400, "not a trailer field"};
  } else {
    for (const char* framing : {"Content-Length", "Transfer-Encoding", "Host"}) {
      if (llmroute::same_field_name(field->name, framing))
        fault_ = {400, "a trailer must not frame"};
    }
  }
}

}  // namespace http
