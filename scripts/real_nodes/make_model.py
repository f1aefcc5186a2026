"""Writes a llama model of random weights, half a megabyte: make_model.py FILE [SEED].

It talks nonsense, and that is enough: a real server loads it, tokenizes, samples and streams as it would with a
real one. The vocabulary is every byte, so that any prompt can be read, and a few syllables, so that answers have text.
"""

import sys

import gguf
import numpy

WIDTH, LAYERS, HEADS, KV_HEADS, INNER, CONTEXT = 64, 2, 4, 2, 128, 4096
CHAT_TEMPLATE = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}assistant: "


def vocabulary():
    """(text, score, kind) of every token: control tokens first, where llama.cpp looks for them."""
    kinds = gguf.TokenType
    yield "<unk>", 0.0, kinds.UNKNOWN
    yield "<s>", 0.0, kinds.CONTROL
    yield "</s>", 0.0, kinds.CONTROL
    for byte in range(256):
        yield f"<0x{byte:02X}>", 0.0, kinds.BYTE
    syllables = [consonant + vowel for consonant in "bdfghklmnprstvwz" for vowel in "aeiou"]
    words = ["\u2581" + syllable for syllable in syllables] + syllables + list("abcdefghijklmnopqrstuvwxyz.,") + ["\u2581"]
    for rank, word in enumerate(dict.fromkeys(words), 1):
        yield word, -float(rank), kinds.NORMAL


def tensors(random, words):
    """(name, values) of every weight, named as llama.cpp's "llama" architecture wants them."""
    def weights(*shape, scale=0.08):
        return (random.standard_normal(shape) * scale).astype(numpy.float32)

    ones = numpy.ones(WIDTH, numpy.float32)
    narrow = WIDTH // HEADS * KV_HEADS
    yield "token_embd", weights(words, WIDTH, scale=0.5)
    yield "output_norm", ones
    yield "output", weights(words, WIDTH, scale=0.5)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        yield block + "attn_norm", ones
        yield block + "attn_q", weights(WIDTH, WIDTH)
        yield block + "attn_k", weights(narrow, WIDTH)
        yield block + "attn_v", weights(narrow, WIDTH)
        yield block + "attn_output", weights(WIDTH, WIDTH)
        yield block + "ffn_norm", ones
        yield block + "ffn_gate", weights(INNER, WIDTH)
        yield block + "ffn_up", weights(INNER, WIDTH)
        yield block + "ffn_down", weights(WIDTH, INNER)


def write_shape(writer):
    writer.add_name("tiny-random")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)


def write_vocabulary(writer):
    texts, scores, kinds = zip(*vocabulary())
    writer.add_vocab_size(len(texts))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(texts)
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(CHAT_TEMPLATE)
    return len(texts)


def main(path, seed=1):
    writer = gguf.GGUFWriter(path, "llama")
    write_shape(writer)
    words = write_vocabulary(writer)
    for name, values in tensors(numpy.random.default_rng(seed), words):
        writer.add_tensor(name + ".weight", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
