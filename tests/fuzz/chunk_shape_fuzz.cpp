// The chunks of a stream, one a line: the quick way to read them sees what the thorough one sees.
#include <algorithm>
#include <llmroute/wire/chunk_shape.hpp>
#include <llmroute/wire/delta.hpp>
#include <string>

#include "fuzz/fuzz.hpp"

using namespace llmroute::fuzz;
using namespace llmroute::wire;

namespace {

void check_same(const ChunkView& quick, const ChunkView& thorough) {
  require(quick.json_ok == thorough.json_ok, "json_ok");
  require(quick.is_error == thorough.is_error, "is_error");
  require(quick.has_content == thorough.has_content, "has_content");
  require(quick.usage_only == thorough.usage_only, "usage_only");
  require(quick.has_usage == thorough.has_usage && quick.usage == thorough.usage, "usage");
  require(quick.seen_choices == thorough.seen_choices, "seen_choices");
  require(quick.finished_choices == thorough.finished_choices, "finished_choices");
  require(quick.model_offset == thorough.model_offset, "model_offset");
  require(quick.model_length == thorough.model_length, "model_length");
  require(quick.text == thorough.text, "text");
  require(quick.text_only == thorough.text_only, "text_only");
  require(quick.token_ids_at.offset == thorough.token_ids_at.offset, "token_ids_at");
  require(quick.token_ids_at.length == thorough.token_ids_at.length, "token_ids_at");
}

/// Nothing that matters is said twice: which one counts is nobody's promise.
bool is_plain(std::string_view data) {
  for (const std::string_view key : {"choices", "delta", "content", "text", "index", "finish_"}) {
    const std::size_t first = data.find(key);
    if (first != data.npos && data.find(key, first + 1) != data.npos) return false;
  }
  return data.find("\\u00") == data.npos;  // a key may be spelled so
}

/// What is put together from the parts of a chunk is what its view says.
void check_deltas(std::string_view data, const ChunkView& view) {
  const std::vector<Delta> deltas = read_deltas(data);
  if (!view.text_only || deltas.size() != 1 || deltas[0].index != 0) return;
  std::string text;
  append_text(text, view);
  require(deltas[0].content == text, "the same text");
  require((view.finished_choices != 0) == !deltas[0].finish_reason.empty(), "the same end");
}

}  // namespace

LLMROUTE_FUZZ_TARGET(chunk_shape) {
  ChunkShape shape;
  while (!input.empty()) {
    const std::string line(input.substr(0, input.find('\n')));
    input.remove_prefix(std::min(line.size() + 1, input.size()));
    const ChunkView view = read_chunk(line);
    check_same(shape.read(line), view);
    if (!is_json_object(line) || !is_plain(line)) continue;
    check_deltas(line, view);
    const Identity identity = read_identity(line);
    require(read_identity(with_identity(line, identity)).id == identity.id, "the same identity");
  }
}
