#include "types/chunked_list.h"

#include <catch2/catch.hpp>
#include <climits>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"

namespace pinyon {
namespace {

using Direction = ChunkedList::Direction;
using Cursor = ChunkedList::Cursor;

std::string TextOf(const PackedElement& element) {
  PackedElement::Digits digits;
  return std::string(element.Text(digits));
}

std::vector<std::string> Contents(const ChunkedList& list, Direction direction = Direction::kForward) {
  std::vector<std::string> result;
  for (Cursor cursor(list, direction == Direction::kForward ? 0 : -1, direction); cursor.valid();
       cursor.Advance()) {
    result.push_back(TextOf(cursor.Get()));
  }
  return result;
}

// What a test of random operations runs with.
struct Setup {
  int fill;
  uint32_t compress_depth;
  size_t plain_bytes;
  size_t longest;  // elements mostly are no longer
};

class ListModel {
 public:
  ListModel(const Setup& setup, uint64_t seed)
      : setup_(setup),
        limits_(ListLimits::FromFill(setup.fill, setup.plain_bytes)),
        random_(seed),
        list_(new ChunkedList(setup.compress_depth)) {}

  void Run(int steps, size_t most) {
    for (int step = 0; step < steps; ++step) {
      if (step % 500 == 0) growing_ = random_.Below(2) == 0;
      if (model_.size() > most) growing_ = false;
      growing_&& random_.Below(3) != 0 ? Grow() : Change();
      list_->CheckInvariants();
      if (list_->size() != model_.size()) FAIL("size after step " << step);
      if (step % 100 == 0 || model_.size() < 10) Compare();
    }
    Compare();
  }

 private:
  std::string Text() {
    switch (random_.Below(12)) {
      case 0: return std::to_string(static_cast<int64_t>(random_.Next()));
      case 1:
      case 2: return std::to_string(random_.Below(20));
      case 3: return std::string(random_.Below(setup_.longest * 4), 'y');
      case 4: return random_.Below(20) == 0 ? std::string(9000 + random_.Below(30'000), 'z') : "";
      default: return std::string(random_.Below(setup_.longest), static_cast<char>('a' + random_.Below(3)));
    }
  }
  int64_t SomeIndex() { return static_cast<int64_t>(random_.Below(model_.size())); }
  auto At(int64_t index) { return model_.begin() + index; }

  void Grow() {
    const std::string text = Text();
    if (random_.Below(2) == 0) {
      model_.push_front(text);
      list_->PushFront(text, limits_);
    } else {
      model_.push_back(text);
      list_->PushBack(text, limits_);
    }
  }

  void Pop() {
    if (random_.Below(2) == 0) {
      if (TextOf(list_->Front()) != model_.front()) FAIL("front");
      list_->PopFront();
      model_.pop_front();
    } else {
      if (TextOf(list_->Back()) != model_.back()) FAIL("back");
      list_->PopBack();
      model_.pop_back();
    }
  }

  void Insert() {
    const int64_t index = SomeIndex();
    const std::string text = Text();
    Cursor cursor(*list_, random_.Below(2) == 0 ? index : index - static_cast<int64_t>(model_.size()));
    if (TextOf(cursor.Get()) != *At(index)) FAIL("element at " << index);
    const bool after = random_.Below(2) == 0;
    after ? list_->InsertAfter(cursor, text, limits_) : list_->InsertBefore(cursor, text, limits_);
    model_.insert(At(index + (after ? 1 : 0)), text);
  }

  void Replace() {
    const int64_t index = SomeIndex();
    const std::string text = Text();
    Cursor cursor(*list_, index);
    list_->Replace(cursor, text, limits_);
    *At(index) = text;
  }

  // Walks a little and deletes some of what it meets.
  void DeleteOnTheWay() {
    const bool forward = random_.Below(2) == 0;
    int64_t index = SomeIndex();
    Cursor cursor(*list_, index, forward ? Direction::kForward : Direction::kBackward);
    for (int i = 0; i < 8 && cursor.valid(); ++i) {
      if (cursor.index() != static_cast<uint64_t>(index) || !cursor.Equals(*At(index))) FAIL("at " << index);
      if (random_.Below(2) == 0) {
        list_->Delete(cursor, limits_);
        model_.erase(At(index));
        if (!forward) --index;
      } else {
        cursor.Advance();
        index += forward ? 1 : -1;
      }
    }
  }

  void DeleteRange() {
    const int64_t start = SomeIndex();
    const size_t left = model_.size() - static_cast<size_t>(start);
    const size_t count = random_.Below(random_.Below(10) == 0 ? left + 10 : std::min<size_t>(left, 20) + 1);
    list_->DeleteRange(static_cast<uint64_t>(start), count, limits_);
    model_.erase(At(start), At(start + static_cast<int64_t>(std::min(count, left))));
  }

  void DeleteEqual() {
    const std::string text = random_.Below(2) == 0 ? *At(SomeIndex()) : Text();
    const uint64_t most = random_.Below(3) == 0 ? UINT64_MAX : random_.Below(5);
    const bool forward = random_.Below(2) == 0;
    uint64_t expected = 0;
    for (size_t i = forward ? 0 : model_.size(); forward ? i < model_.size() : i > 0;) {
      const size_t here = forward ? i : i - 1;
      const bool goes = expected < most && model_[here] == text;
      if (goes) {
        model_.erase(At(static_cast<int64_t>(here)));
        ++expected;
      }
      if (!forward) {
        --i;
      } else if (!goes) {
        ++i;
      }
    }
    const uint64_t deleted =
        list_->DeleteEqual(text, most, forward ? Direction::kForward : Direction::kBackward, limits_);
    if (deleted != expected) FAIL("deleted " << deleted << " not " << expected);
  }

  void Change() {
    if (model_.empty()) return Grow();
    switch (random_.Below(16)) {
      case 0: return DeleteRange();
      case 1: return DeleteEqual();
      case 2: return DeleteOnTheWay();
      case 3: return list_.reset(list_->Copy());
      case 4:
      case 5:
      case 6: return Replace();
      case 7:
      case 8:
      case 9:
      case 10: return Insert();
      default: return Pop();
    }
  }

  void Compare() {
    const std::vector<std::string> expected(model_.begin(), model_.end());
    if (Contents(*list_) != expected) FAIL("contents");
    if (Contents(*list_, Direction::kBackward) != std::vector<std::string>(model_.rbegin(), model_.rend())) {
      FAIL("contents backward");
    }
  }

  Setup setup_;
  ListLimits limits_;
  Random random_;
  std::deque<std::string> model_;
  std::unique_ptr<ChunkedList> list_;
  bool growing_ = true;
};

constexpr size_t kNoPlain = ListLimits::kDefaultPlainBytes;

TEST_CASE("a chunked list agrees with a plain one under random operations", "[chunked_list]") {
  constexpr Setup kSetups[] = {
      {-2, 0, kNoPlain, 100}, {-1, 1, kNoPlain, 100}, {-5, 0, kNoPlain, 300}, {1, 0, kNoPlain, 30},
      {3, 2, kNoPlain, 60},   {128, 1, kNoPlain, 20}, {-1, 3, 40, 60},        {5, 0, 1, 30},
      {-3, 0, 500, 1000},     {10, 1, 100, 80},       {-9, 1, kNoPlain, 50},  {0, 0, kNoPlain, 10},
      {5, 9, kNoPlain, 60},

  };
  uint64_t seed = 1;
  for (const Setup& setup : kSetups) {
    INFO("fill " << setup.fill << " depth " << setup.compress_depth << " plain " << setup.plain_bytes);
    ListModel(setup, seed++).Run(4000, 700);
  }
}

ChunkedList* Numbers(int64_t count, const ListLimits& limits) {
  ChunkedList* list = new ChunkedList;
  for (int64_t i = 0; i < count; ++i) list->PushBack(std::to_string(i), limits);
  return list;
}

TEST_CASE("indexes of a chunked list count from both ends and may be out of range", "[chunked_list]") {
  const ListLimits limits = ListLimits::FromFill(-1);
  const std::unique_ptr<ChunkedList> list(Numbers(100'000, limits));
  list->CheckInvariants();
  for (const int64_t index : {0, 1, 999, 50'000, 99'998, 99'999}) {
    CHECK(Cursor(*list, index).Get().integer == index);
    CHECK(Cursor(*list, index - 100'000).Get().integer == index);
  }
  for (const int64_t index : {int64_t{100'000}, int64_t{-100'001}, INT64_MAX, INT64_MIN}) {
    CHECK_FALSE(Cursor(*list, index).valid());
  }
}

TEST_CASE("limits follow list-max-listpack-size", "[chunked_list]") {
  CHECK(ListLimits::FromFill(-1).max_bytes == 4096);
  CHECK(ListLimits::FromFill(-5).max_bytes == 65536);
  CHECK(ListLimits::FromFill(-6).max_bytes == 65536);
  CHECK(ListLimits::FromFill(INT_MIN).max_bytes == 65536);
  CHECK(ListLimits::FromFill(0).max_count == 1);
  CHECK(ListLimits::FromFill(100).max_count == 100);
  CHECK(ListLimits::FromFill(100).max_bytes == 8192);

  const std::unique_ptr<ChunkedList> list(Numbers(1000, ListLimits::FromFill(10)));
  CHECK(list->chunk_count() == 100);
}

TEST_CASE("what is in the middle of a chunked list is compressed", "[chunked_list]") {
  const ListLimits limits = ListLimits::FromFill(-2);
  for (const uint32_t depth : {1u, 3u, 1000u}) {
    const std::unique_ptr<ChunkedList> list(new ChunkedList(depth));
    for (int i = 0; i < 20'000; ++i) list->PushBack("element " + std::to_string(i), limits);
    list->CheckInvariants();
    size_t compressed = 0;
    list->ForEachChunk([&](const ListChunk& chunk) { compressed += chunk.is_compressed ? 1 : 0; });
    CHECK(compressed == (depth == 1000 ? 0 : list->chunk_count() - 2 * depth));
    // A change decompresses one chunk, which is compressed again.
    Cursor cursor(*list, 10'000);
    list->InsertAfter(cursor, "inserted", limits);
    Cursor place(*list, 10'001);
    CHECK(place.Equals("inserted"));
    list->Delete(place, limits);
    CHECK(place.Equals("element 10001"));
    size_t after = 0;
    list->ForEachChunk([&](const ListChunk& chunk) { after += chunk.is_compressed ? 1 : 0; });
    CHECK(after >= compressed);
  }
}

TEST_CASE("a compress depth beyond every list costs nothing", "[chunked_list]") {
  const ListLimits limits = ListLimits::FromFill(1);
  ChunkedList list(UINT32_MAX);
  // Looking at all chunks for each would take minutes.
  for (int i = 0; i < 300'000; ++i) list.PushBack("x", limits);
  while (list.size() > 10) list.PopFront();
  list.CheckInvariants();
  CHECK(list.chunk_count() == 10);
}

TEST_CASE("large elements stand alone, and are shared, not copied", "[chunked_list]") {
  const ListLimits limits = ListLimits::FromFill(-2);
  ChunkedList list;
  list.PushBack("a", limits);
  SharedBlock* block = SharedBlock::Copy(std::string(100'000, 'x'));
  block->Ref();
  list.PushBack(BlockRef(block));
  list.PushBack("b", limits);
  list.PushBack(std::string(8192, 'y'), limits);
  CHECK(list.chunk_count() == 4);
  CHECK(list.BackBlock() != nullptr);
  CHECK(list.FrontBlock() == nullptr);
  CHECK(Cursor(list, 1).block() == block);
  const std::unique_ptr<ChunkedList> copy(list.Copy());
  CHECK(Cursor(*copy, 1).block() == block);
  CHECK(copy->SoleListpack().empty());
  list.DeleteRange(0, 3, limits);
  CHECK(TextOf(list.Front()) == std::string(8192, 'y'));
  CHECK(Cursor(*copy, 1).Equals(block->bytes()));
  block->Unref();
  list.CheckInvariants();
  copy->CheckInvariants();
}

TEST_CASE("a chunked list begins as a listpack and shows it while it is the only one", "[chunked_list]") {
  PackedBlock packed;
  Listpack::InitEmpty(packed);
  Listpack(packed).Append("a");
  Listpack(packed).Append("17");
  const uint8_t* bytes = packed.data();
  const std::unique_ptr<ChunkedList> list(ChunkedList::FromListpack(std::move(packed), 0));
  CHECK(list->size() == 2);
  CHECK(list->SoleListpack().data() == bytes);
  const ListLimits limits = ListLimits::FromFill(2);
  list->PushFront("x", limits);
  CHECK(list->SoleListpack().empty());
  list->PopBack();
  list->PopBack();
  CHECK(ListpackView(list->SoleListpack().data()).size() == 1);
  list->CheckInvariants();
}

TEST_CASE("a long list costs little beside its bytes", "[chunked_list]") {
  constexpr size_t kElements = 200'000;
  const ListLimits limits = ListLimits::FromFill(-2);
  const uint64_t before = mem::UsedBytes();
  ChunkedList* list = new ChunkedList;
  std::string text(64, 'x');
  for (size_t i = 0; i < kElements; ++i) list->PushBack(text, limits);
  const double per_element = static_cast<double>(mem::UsedBytes() - before) / kElements;
  CHECK(per_element < 68);
  CHECK(list->MemoryBytes() == Approx(per_element * kElements).epsilon(0.01));
  CHECK(list->MemoryBytes(5) == Approx(per_element * kElements).epsilon(0.02));
  delete list;
}

TEST_CASE("deletions in the middle leave no trail of small chunks", "[chunked_list]") {
  const ListLimits limits = ListLimits::FromFill(-2);
  const std::unique_ptr<ChunkedList> list(Numbers(100'000, limits));
  const size_t chunks = list->chunk_count();
  // Nine of ten go.
  for (Cursor cursor(*list, 0); cursor.valid();) {
    if (cursor.index() % 2 == 1 || cursor.Get().integer % 10 != 0) {
      list->Delete(cursor, limits);
    } else {
      cursor.Advance();
    }
    if (list->size() <= 10'000) break;
  }
  list->CheckInvariants();
  CHECK(list->chunk_count() < chunks / 4);
}

TEST_CASE("deleting equal elements takes one pass", "[chunked_list]") {
  const ListLimits limits = ListLimits::FromFill(-5);
  for (const Direction direction : {Direction::kForward, Direction::kBackward}) {
    ChunkedList list;
    for (int i = 0; i < 300'000; ++i) list.PushBack(i % 3 == 0 ? "b" : "a", limits);
    CHECK(list.DeleteEqual("a", 1000, direction, limits) == 1000);
    CHECK(list.DeleteEqual("a", UINT64_MAX, direction, limits) == 199'000);
    CHECK(list.DeleteEqual("c", UINT64_MAX, direction, limits) == 0);
    list.CheckInvariants();
    CHECK(list.size() == 100'000);
    CHECK(list.DeleteEqual("b", UINT64_MAX, direction, limits) == 100'000);
    list.CheckInvariants();
    CHECK(list.empty());
    CHECK(list.chunk_count() == 0);
  }
}

}  // namespace
}  // namespace pinyon
