/// Tells when a file has become another one.
#pragma once

#include <cstdint>
#include <llmroute/result.hpp>
#include <string>

namespace gateway {

/// What a look at a file shows. By its content, for the time of a file says too little: it may be
/// set back, and two writes may fall into one tick.
enum class Seen : std::uint8_t {
  same,       ///< as at the last change
  unsettled,  ///< another than at the last look: it may be half-written, look again
  changed     ///< another than at the last change, and the same as at the last look
};

class FileWatch {
 public:
  /// `fingerprint` is that of the text which is known already.
  FileWatch(std::string path, std::size_t fingerprint);

  Seen look();

  /// Takes the file as it is for known, and gives what is in it; an error is known, too.
  llmroute::Result<std::string> take();

  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
  std::size_t known_;
  std::size_t last_;
};

}  // namespace gateway
