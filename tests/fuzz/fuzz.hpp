/// What the fuzz targets share. A target is a function of some bytes that stops the program where a
/// promise is broken. Built for libFuzzer (preset `fuzz`) each is a program of its own; built to
/// replay (any other preset) all are one program, which feeds them the files of corpus/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace llmroute::fuzz {

/// `promise` does not hold: says so and aborts, which is what a fuzzer takes for a find.
void require(bool holds, const char* promise);

/// Whether `text` is one whole and valid JSON object.
bool is_json_object(std::string_view text);

/// A text and a way to cut it, both taken from a target's input: the first byte says how many of
/// the next are sizes of pieces, which are used in turn; a size of 0 stands for 256.
class Pieces {
 public:
  explicit Pieces(std::string_view input) noexcept;

  std::string_view text() const noexcept { return text_; }

  /// Calls `use(piece)` for one piece after the other; without sizes there is one.
  template <class F>
  void each(F&& use) const {
    std::string_view rest = text_;
    for (std::size_t i = 0; !rest.empty(); ++i) {
      const std::string_view piece = rest.substr(0, size(i));
      use(piece);
      rest.remove_prefix(piece.size());
    }
  }

 private:
  std::size_t size(std::size_t i) const noexcept;

  std::string_view sizes_{};
  std::string_view text_{};
};

using Target = void (*)(std::string_view input);

/// Enters a target among those that are replayed.
struct Registered {
  Registered(const char* name, Target target);
};

}  // namespace llmroute::fuzz

#ifdef LLMROUTE_FUZZ_REPLAY
#define LLMROUTE_FUZZ_TARGET(name)                                                  \
  static void fuzz_##name(std::string_view input);                                  \
  static const ::llmroute::fuzz::Registered registered_##name{#name, &fuzz_##name}; \
  static void fuzz_##name(std::string_view input)
#else
#define LLMROUTE_FUZZ_TARGET(name)                                                     \
  static void fuzz_##name(std::string_view input);                                     \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) { \
    fuzz_##name({reinterpret_cast<const char*>(bytes), size});                         \
    return 0;                                                                          \
  }                                                                                    \
  static void fuzz_##name(std::string_view input)
#endif
