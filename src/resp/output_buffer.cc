#include "resp/output_buffer.h"

#include <algorithm>
#include <new>
#include <utility>

namespace pinyon {

namespace {

// So many consumed pieces are let stand before the list is moved up, and so many places kept by an empty
// buffer.
constexpr size_t kKeptPieces = 16;

}  // namespace

void OutputBuffer::Grow() {
  CloseChunk();
  char* memory = pool_.Acquire();
  open_ = new (memory) Chunk{0};
  cursor_ = open_begin_ = memory + sizeof(Chunk);
  limit_ = memory + ChunkPool::kChunkBytes;
}

// Makes what was written since the last piece a piece.
void OutputBuffer::Seal() {
  if (cursor_ == open_begin_) return;
  const size_t size = static_cast<size_t>(cursor_ - open_begin_);
  pieces_.push_back({open_begin_, size, open_, nullptr});
  ++open_->pieces;
  sealed_bytes_ += size;
  open_begin_ = cursor_;
}

void OutputBuffer::CloseChunk() {
  if (open_ == nullptr) return;
  Seal();
  if (open_->pieces == 0) pool_.Release(reinterpret_cast<char*>(open_));
  open_ = nullptr;
  cursor_ = limit_ = open_begin_ = nullptr;
}

void OutputBuffer::AppendBlock(SharedBlock* block, size_t offset, size_t length) {
  PINYON_ASSERT(offset + length <= block->length());
  if (length == 0) return;
  Seal();
  block->Ref();
  pieces_.push_back({block->data() + offset, length, nullptr, block});
  sealed_bytes_ += length;
}

size_t OutputBuffer::Front(iovec* pieces, size_t max, size_t limit) {
  size_t count = 0;
  const auto add = [&](const char* data, size_t size) {
    pieces[count].iov_base = const_cast<char*>(data);
    pieces[count].iov_len = std::min(size, limit);
    limit -= pieces[count].iov_len;
    ++count;
  };
  for (size_t i = first_piece_; i < pieces_.size() && count < max && limit > 0; ++i) {
    add(pieces_[i].data, pieces_[i].size);
  }
  if (count < max && limit > 0 && cursor_ != open_begin_)
    add(open_begin_, static_cast<size_t>(cursor_ - open_begin_));
  return count;
}

void OutputBuffer::DropPiece(Piece& piece) {
  if (piece.block != nullptr) piece.block->Unref();
  if (piece.chunk != nullptr && --piece.chunk->pieces == 0 && piece.chunk != open_) {
    pool_.Release(reinterpret_cast<char*>(piece.chunk));
  }
}

void OutputBuffer::Consume(size_t bytes) {
  PINYON_ASSERT(bytes <= size_bytes());
  consumed_total_ += bytes;
  while (first_piece_ < pieces_.size() && bytes > 0) {
    Piece& piece = pieces_[first_piece_];
    const size_t taken = std::min(bytes, piece.size);
    piece.data += taken;
    piece.size -= taken;
    bytes -= taken;
    sealed_bytes_ -= taken;
    if (piece.size > 0) break;
    DropPiece(piece);
    ++first_piece_;
  }
  open_begin_ += bytes;
  ForgetConsumed();
  if (empty()) CloseChunk();
}

// A buffer whose tail is always held back never runs empty: its lists must not grow for ever.
void OutputBuffer::ForgetConsumed() {
  if (first_piece_ == pieces_.size()) {
    pieces_.clear();
    if (pieces_.capacity() > kKeptPieces) pieces_.shrink_to_fit();
    first_piece_ = 0;
  } else if (first_piece_ >= kKeptPieces && first_piece_ >= pieces_.size() / 2) {
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<ptrdiff_t>(first_piece_));
    first_piece_ = 0;
  }
  const auto is_pending = [this](const Gate& gate) { return gate.end > consumed_total_; };
  gates_.erase(gates_.begin(), std::find_if(gates_.begin(), gates_.end(), is_pending));
  if (gates_.empty() && gates_.capacity() > kKeptPieces) gates_.shrink_to_fit();
}

void OutputBuffer::Clear() {
  for (; first_piece_ < pieces_.size(); ++first_piece_) DropPiece(pieces_[first_piece_]);
  consumed_total_ += size_bytes();
  sealed_bytes_ = 0;
  open_begin_ = cursor_;
  ForgetConsumed();
  CloseChunk();
}

void OutputBuffer::MoveTo(OutputBuffer& other) {
  PINYON_ASSERT(other.empty() && other.open_ == nullptr && &pool_ == &other.pool_);
  CloseChunk();
  std::swap(pieces_, other.pieces_);
  std::swap(first_piece_, other.first_piece_);
  std::swap(sealed_bytes_, other.sealed_bytes_);
  std::swap(consumed_total_, other.consumed_total_);
  std::swap(gates_, other.gates_);
}

void OutputBuffer::Hold(uint64_t offset) {
  if (empty()) return;
  const uint64_t end = written();
  if (!gates_.empty()) {
    Gate& last = gates_.back();
    PINYON_ASSERT(last.offset <= offset);
    if (last.end == end) return;
    if (last.offset == offset) {
      last.end = end;
      return;
    }
  }
  gates_.push_back({end, offset});
}

size_t OutputBuffer::Sendable(uint64_t reached) const {
  if (gates_.empty() || gates_.back().offset <= reached) return size_bytes();
  // What stands before the first gate that is still closed: up to the end of the last open one.
  uint64_t end = consumed_total_;
  for (const Gate& gate : gates_) {
    if (gate.offset > reached) break;
    end = gate.end;
  }
  return static_cast<size_t>(end - consumed_total_);
}

}  // namespace pinyon
