// SPDX-License-Identifier: Apache-2.0
// One worker and what is said with it: a question, its progress, its answer. Private to migration/reader*.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "migration/reader_messages.hpp"

#include "hosts/known_hosts.hpp"
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
  Session(std::unique_ptr<worker::Worker> worker, std::filesystem::path file, hosts::Readable elsewhere)
      : worker_(std::move(worker)), file_(std::move(file)), elsewhere_(std::move(elsewhere)) {}

  static void report(Say what, std::string_view value, Progress &progress);
  // Gives it a connection to another host, by which it may ask for what the rules name there.
  void connect(const std::string &authority);
  // Gives it what is said of the zeros of such a file.
  void say_zeros(const std::filesystem::path &file);
  // What it failed with; ssh may have said why.
  [[nodiscard]] Error failure(std::string_view value) const;
  [[noreturn]] void ended();
  [[noreturn]] void given_up(worker::Watch::Verdict verdict);

  std::unique_ptr<worker::Worker> worker_;
  std::filesystem::path file_;
  hosts::Readable elsewhere_;  // the rules' paths on other hosts
  std::optional<hosts::Lent> lent_;
  std::size_t connections_ = 0;  // that it got so far
  bool usable_ = true;
};

}  // namespace ferry::migration
