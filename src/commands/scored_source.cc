#include "commands/scored_source.h"

namespace pinyon {

namespace {

constexpr double kScoreOfSetMembers = 1.0;

}  // namespace

size_t ScoredSource::size() const {
  if (entry_ == nullptr) return 0;
  if (IsSet()) return SetView(entry_).size();
  const SortedSet* large = sorted_set();
  return large != nullptr ? large->size() : PackedZsetView(entry_->packed()).size();
}

bool ScoredSource::Find(std::string_view member, double* score) const {
  if (entry_ == nullptr) return false;
  if (IsSet()) {
    *score = kScoreOfSetMembers;
    return SetView(entry_).Contains(member);
  }
  if (const SortedSet* large = sorted_set(); large != nullptr) {
    const ScoredMember* item = large->Find(member);
    if (item != nullptr) *score = item->score();
    return item != nullptr;
  }
  const PackedZsetView packed(entry_->packed());
  const PackedZsetView::Offset pair = packed.Find(member);
  if (pair != PackedZsetView::kEnd) *score = packed.Score(pair);
  return pair != PackedZsetView::kEnd;
}

void ScoredSource::PrefetchBucket(uint64_t hash) const {
  if (const SortedSet* large = sorted_set(); large != nullptr) return large->index().PrefetchBucket(hash);
  if (const MemberTable* table = members(); table != nullptr) table->PrefetchBucket(hash);
}

void ScoredSource::PrefetchItem(uint64_t hash) const {
  if (const SortedSet* large = sorted_set(); large != nullptr) return large->index().PrefetchItem(hash);
  if (const MemberTable* table = members(); table != nullptr) table->PrefetchItem(hash);
}

ScoredReader::ScoredReader(const ScoredSource& source) : entry_(source.entry_) {
  if (entry_ == nullptr) return;
  if (source.IsSet()) {
    set_.emplace(SetView(entry_));
  } else if (const SortedSet* large = source.sorted_set(); large != nullptr) {
    tree_ = large->tree().First();
  } else {
    pair_ = PackedZsetView(entry_->packed()).First();
  }
}

bool ScoredReader::Next(ScoredElement* element) {
  if (set_) {
    element->score = kScoreOfSetMembers;
    return set_->Next(&element->element);
  }
  if (tree_) {
    *element = {.element = {.text = tree_->key()}, .score = tree_.score()};
    tree_.Next();
    return true;
  }
  if (pair_ == PackedZsetView::kEnd) return false;
  const PackedZsetView packed(entry_->packed());
  *element = {.element = packed.Member(pair_), .score = packed.Score(pair_)};
  pair_ = packed.Next(pair_);
  return true;
}

bool ScoredBatch::Fill(ScoredReader& reader) {
  size_ = 0;
  hashed_ = false;
  for (ScoredElement element; size_ < kCapacity && reader.Next(&element); ++size_) {
    elements_[size_] = element;
    texts_[size_] = elements_[size_].element.Text(digits_[size_]);
  }
  kept_ = (1u << size_) - 1;
  return size_ > 0;
}

uint32_t ScoredBatch::FindIn(const ScoredSource& source, std::array<double, kCapacity>* scores) {
  const auto for_each_kept = [this](auto act) {
    for (uint32_t left = kept_; left != 0; left &= left - 1) act(static_cast<size_t>(__builtin_ctz(left)));
  };
  if (source.IsTable()) {
    if (!hashed_) {
      for (size_t i = 0; i < size_; ++i) hashes_[i] = HashBytes(texts_[i], seed_);
      hashed_ = true;
    }
    for_each_kept([&](size_t i) { source.PrefetchBucket(hashes_[i]); });
    for_each_kept([&](size_t i) { source.PrefetchItem(hashes_[i]); });
  }
  uint32_t found = 0;
  for_each_kept([&](size_t i) {
    if (source.Find(texts_[i], &(*scores)[i])) found |= 1u << i;
  });
  return found;
}

}  // namespace pinyon
