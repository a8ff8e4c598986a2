// SPDX-License-Identifier: Apache-2.0
// libvirt's calls wait for its daemon for ever, and a daemon that is stopped never answers. So each is made on a thread
// of its own that is left alone when the time is over.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "support/error.hpp"

namespace ferry::libvirt {

// Whether a call was ever left alone. The process should then end without running destructors of global objects, which
// that thread still uses.
[[nodiscard]] bool gave_up_on_libvirt();

// Nobody answered in time.
class Unanswered : public Error {
 public:
  using Error::Error;
};

// How long somebody waits for an answer.
struct Patience {
  std::chrono::milliseconds deadline;
  std::stop_token stop;
};

namespace detail {
// Waits until `is_there(time)`, which waits that long itself. Throws Unanswered of `kind` when the patience is over:
// who was asked `what` and did not answer; of kind cancelled when it was stopped.
void wait_for_answer(const Patience &patience, ErrorKind kind, const std::string &uri, const std::string &what,
                     const std::function<bool(std::chrono::milliseconds)> &is_there);
}  // namespace detail

// What `work` gives or throws. When the patience is over throws Unanswered of `kind`; `work` may still be running then,
// and must own all that it uses.
template <class Result>
Result within(const Patience &patience, ErrorKind kind, const std::string &uri, const std::string &what,
              std::function<Result()> work) {
  auto task = std::make_shared<std::packaged_task<Result()>>(std::move(work));
  std::future<Result> answer = task->get_future();
  std::thread([task = std::move(task)]() mutable {
    (*task)();
    task.reset();
  }).detach();
  detail::wait_for_answer(patience, kind, uri, what, [&answer](std::chrono::milliseconds time) {
    return answer.wait_for(time) == std::future_status::ready;
  });
  return answer.get();
}

}  // namespace ferry::libvirt
