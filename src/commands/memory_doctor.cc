#include "commands/memory_doctor.h"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

namespace pinyon {

namespace {

constexpr uint64_t kMegabyte = 1024 * 1024;
// With less in it than that, what the server itself needs says more than what is wrong.
constexpr uint64_t kEnoughBytes = 5 * kMegabyte;
constexpr double kHighPeakRatio = 1.5;
// Both must be exceeded: a high ratio of little is nothing, and so is a little of much.
constexpr double kHighFragmentation = 1.4;
constexpr double kHighOverhead = 1.1;
constexpr int64_t kManyBytes = 10 * kMegabyte;
constexpr uint64_t kManyClientBytes = 200 * 1024;

bool IsHigh(MemoryReport::Excess excess, double ratio) {
  return excess.ratio > ratio && excess.bytes > kManyBytes;
}

void Tell(std::string* text, std::string_view what, std::string_view advice) {
  *text += fmt::format(" * {} {}\n\n", what, advice);
}

void TellOfAllocator(const MemoryReport& report, std::string* text) {
  if (const auto excess = report.AllocatorFragmentation(); IsHigh(excess, kHighOverhead)) {
    Tell(text,
         fmt::format(
             "High allocator fragmentation: the pages in which values lie take {:.2f} times what the values "
             "do ({} bytes more).",
             excess.ratio, excess.bytes),
         "This is what values of other sizes leave behind. New values fill it up, and where activedefrag is "
         "on, values are moved together while the server goes on, until less than "
         "active-defrag-threshold-lower percent is lost.");
  }
  if (const auto excess = report.AllocatorResidence(); IsHigh(excess, kHighOverhead)) {
    Tell(text,
         fmt::format(
             "High allocator residence: the allocator holds {:.2f} times the memory that is in use ({} bytes "
             "more).",
             excess.ratio, excess.bytes),
         "It is kept for what comes next and given back bit by bit while nothing does. MEMORY PURGE gives it "
         "back "
         "now.");
  }
  if (const auto excess = report.ProcessOverhead(); IsHigh(excess, kHighOverhead)) {
    Tell(
        text,
        fmt::format(
            "High process overhead: the process takes {:.2f} times what its allocator holds ({} bytes more).",
            excess.ratio, excess.bytes),
        "The rest is code, stacks and what the system libraries hold.");
  }
}

std::string FindIssues(const MemoryReport& report) {
  std::string text;
  if (static_cast<double>(report.peak) > kHighPeakRatio * static_cast<double>(report.used)) {
    Tell(&text,
         fmt::format("Peak memory: at some time this instance used {} bytes, now it uses {}.", report.peak,
                     report.used),
         "What is free since may still be held by the process, so that its resident size looks too large for "
         "what "
         "is in it. New data will use it; MEMORY PURGE gives back what is free as a whole.");
  }
  if (const auto excess = report.Fragmentation(); IsHigh(excess, kHighFragmentation)) {
    Tell(&text,
         fmt::format(
             "High total fragmentation: the process takes {:.2f} times the memory that is used ({} bytes "
             "more).",
             excess.ratio, excess.bytes),
         "The reasons that are told below have their parts in it; if there are none, it is what was used at "
         "the "
         "peak.");
  }
  TellOfAllocator(report, &text);
  if (report.client_count > 0 && report.client_bytes / report.client_count > kManyClientBytes) {
    Tell(&text,
         fmt::format("Big client buffers: {} clients hold {} bytes together.", report.client_count,
                     report.client_bytes),
         "Some send more than is executed, or do not read what they are sent. CLIENT LIST tells which "
         "(tot-mem); "
         "client-output-buffer-limit and maxmemory-clients limit them.");
  }
  return text;
}

}  // namespace

std::string DiagnoseMemory(const MemoryReport& report) {
  if (report.used < kEnoughBytes) {
    return "This instance is empty or uses very little memory: there is nothing in it yet to be diagnosed. "
           "Ask again "
           "when it holds some data.\n";
  }
  const std::string issues = FindIssues(report);
  if (issues.empty()) return "No memory issue was found in this instance.\n";
  return "Some memory issues were found in this instance:\n\n" + issues;
}

}  // namespace pinyon
