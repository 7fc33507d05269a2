// What a connection is owed: pieces in pooled chunks, and blocks sent by reference, in order. Empty, it holds
// no memory. Written by ReplyWriter through ReplySink, emptied by the commit of a turn.
//
// The reply gate: bytes may be held back until the log has reached an offset. Hold(offset) puts everything
// written since the last call behind that offset (offsets never fall); Sendable(reached) tells how many bytes
// from the front may go. Bytes written later without a gate wait behind those that have one.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <vector>

#include "base/chunk_pool.h"
#include "resp/reply_sink.h"

namespace pinyon {

class OutputBuffer final : public ReplySink {
 public:
  explicit OutputBuffer(ChunkPool& pool) : pool_(pool) {}
  ~OutputBuffer() override { Clear(); }

  void AppendBlock(SharedBlock* block, size_t offset, size_t length) override;
  // Of a thousand connections that are owed one message each none needs a chunk for it; what is owed several
  // gathers them in one, as each piece is an element more for the kernel to look at.
  void AppendShared(SharedBlock* block) override {
    empty() || block->length() >= kSharedBytes ? AppendBlock(block, 0, block->length())
                                               : Append(block->bytes());
  }
  uint64_t WrittenBytes() const override { return written(); }

  bool empty() const { return sealed_bytes_ == 0 && cursor_ == open_begin_; }
  size_t size_bytes() const { return sealed_bytes_ + static_cast<size_t>(cursor_ - open_begin_); }
  // Memory held: chunks, referenced blocks, and the lists of both.
  size_t MemoryBytes() const {
    return sealed_bytes_ + open_chunk_bytes() + pieces_.capacity() * sizeof(Piece) +
           gates_.capacity() * sizeof(Gate);
  }
  size_t piece_count() const { return pieces_.size() - first_piece_; }
  // The chunk that is being written, 0 when there is none, and what of it is not in a piece yet.
  size_t open_chunk_bytes() const { return open_ != nullptr ? ChunkPool::kChunkBytes : 0; }
  size_t open_bytes() const { return static_cast<size_t>(cursor_ - open_begin_); }

  // Describes up to `limit` bytes from the front in at most `max` pieces; returns how many. Valid until the
  // buffer changes.
  size_t Front(iovec* pieces, size_t max, size_t limit);
  // Drops bytes from the front, and the memory when nothing is left.
  void Consume(size_t bytes);
  void Clear();
  // Moves everything to an empty buffer of the same pool.
  void MoveTo(OutputBuffer& other);

  void Hold(uint64_t offset);
  size_t Sendable(uint64_t reached) const;

 private:
  // From this size on a block is referred to in any case.
  static constexpr size_t kSharedBytes = 4 * 1024;

  struct Chunk {
    uint32_t pieces;  // that refer to it
  };
  struct Piece {
    const char* data;
    size_t size;
    Chunk* chunk;  // one of the two
    SharedBlock* block;
  };
  struct Gate {
    uint64_t end;  // position in the stream of all bytes ever written
    uint64_t offset;
  };

  void Grow() override;
  void Seal();
  void DropPiece(Piece& piece);
  void CloseChunk();
  void ForgetConsumed();
  uint64_t written() const { return consumed_total_ + size_bytes(); }

  ChunkPool& pool_;
  std::vector<Piece> pieces_;
  size_t first_piece_ = 0;  // pieces before it are consumed
  size_t sealed_bytes_ = 0;
  Chunk* open_ = nullptr;       // the chunk that is being written
  char* open_begin_ = nullptr;  // its bytes from here to the cursor are not in a piece yet
  uint64_t consumed_total_ = 0;
  std::vector<Gate> gates_;  // both fields ascending
};

}  // namespace pinyon
