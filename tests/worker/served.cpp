// SPDX-License-Identifier: Apache-2.0
#include "tests/worker/served.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <unistd.h>

#include "migration/reader.hpp"

#include "support/worker.hpp"

namespace ferry::test {
namespace {

std::string count_descriptors() {
  int open = 0;
  for (int descriptor = 0; descriptor < 1024; ++descriptor) open += fcntl(descriptor, F_GETFD) >= 0 ? 1 : 0;
  return std::to_string(open);
}

std::string done(const std::string &word, const std::string &with, const std::vector<file::Descriptor> &descriptors) {
  if (word == "say") return with;
  if (word == "count") return count_descriptors();
  if (word == "process") return std::to_string(getpid());
  if (word == "read") return file::Descriptor(open(with.c_str(), O_RDONLY | O_CLOEXEC)) ? "opened" : strerror(errno);
  if (word == "write")
    return write(descriptors.at(0).get(), with.data(), with.size()) > 0 ? "written" : strerror(errno);
  if (word == "crash") ::raise(SIGSEGV);
  if (word == "abort") abort();
  if (word == "leave") _exit(7);
  if (word == "sleep") {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }
  if (word == "spin") {
    for (volatile unsigned turns = 0;;) turns = turns + 1;
  }
  if (word == "copy") {
    for (std::string into(4096, ' ');;)
      static_cast<void>(pread(descriptors.at(0).get(), into.data(), into.size(), 0) == 0);
  }
  return "what?";
}

void serve(worker::Channel &channel) {
  auto first = channel.receive();
  while (first && !first->bytes.empty() && first->bytes.front() == kEcho) {
    const std::string text = first->bytes.substr(1);
    const std::size_t blank = std::min(text.find(' '), text.size());
    static_cast<void>(
        channel.send(done(text.substr(0, blank), text.substr(std::min(blank + 1, text.size())), first->descriptors)));
    first = channel.receive();
  }
}

class Workers : public testing::Environment {
 public:
  void SetUp() override { worker::begin(&serve); }
};

const auto *const kWorkers = testing::AddGlobalTestEnvironment(new Workers);

}  // namespace
}  // namespace ferry::test
