// SPDX-License-Identifier: Apache-2.0
// One worker and what is said with it: a question, its progress, its answer. Private to migration/reader*.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "migration/reader_messages.hpp"

#include "support/cage.hpp"
#include "support/worker.hpp"

namespace ferry::migration {

class Session {
 public:
  // nullptr where there are no workers, or none can be started. `file` is what its end is an error of.
  [[nodiscard]] static std::unique_ptr<Session> start(const cage::Rules &rules, const std::filesystem::path &file);

  struct Call {
    Ask what{};
    std::string value;
    std::vector<int> descriptors = {};
    Progress *progress = nullptr;
    std::stop_token stop = {};
  };
  // The answer's value. Throws what the worker threw; cancelled when it was told to stop and did not; internal when it
  // ended or hangs, and io when a disk that it reads does not answer.
  [[nodiscard]] std::string ask(const Call &call);

  // False after it failed us: it is not to be asked again.
  [[nodiscard]] bool is_usable() const { return usable_; }

 private:
  Session(std::unique_ptr<worker::Worker> worker, std::filesystem::path file)
      : worker_(std::move(worker)), file_(std::move(file)) {}

  static void report(Say what, std::string_view value, Progress &progress);
  [[noreturn]] void ended();
  [[noreturn]] void given_up(worker::Watch::Verdict verdict);

  std::unique_ptr<worker::Worker> worker_;
  std::filesystem::path file_;
  bool usable_ = true;
};

}  // namespace ferry::migration
