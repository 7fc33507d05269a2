// Runs a program to its end and gives what it printed: for the tools that come with a server.
#pragma once

#include <string>
#include <vector>

namespace pinyon::testing {

struct ProgramRun {
  int code = -1;  // 128 + signal when one killed it
  std::string output;
  std::string errors;
};

struct ProgramOptions {
  std::string input = {};   // what it reads; the end follows
  std::string folder = {};  // where it runs; here when empty
};

// argv[0] is found along PATH when it has no slash. Throws std::runtime_error when it cannot be started, or
// (having killed it) when it does not end within a minute.
ProgramRun RunProgram(std::vector<std::string> argv, const ProgramOptions& options = {});

// A program that is built beside the server under test.
std::string SiblingOfPinyon(const std::string& name);

}  // namespace pinyon::testing
