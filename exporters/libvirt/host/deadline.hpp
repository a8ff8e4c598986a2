// SPDX-License-Identifier: Apache-2.0
// libvirt's calls wait for its daemon for ever, and a daemon that is stopped never answers. So each is made on a thread
// of its own that is left alone when the time is over.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
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

namespace detail {
// Throws Unanswered of `kind`: who was asked `what` and did not answer.
[[noreturn]] void give_up(ErrorKind kind, const std::string &uri, const std::string &what,
                          std::chrono::milliseconds deadline);
}  // namespace detail

// What `work` gives or throws. After `deadline` throws Unanswered of `kind`; `work` may still be running then, and must
// own all that it uses.
template <class Result>
Result within(std::chrono::milliseconds deadline, ErrorKind kind, const std::string &uri, const std::string &what,
              std::function<Result()> work) {
  auto task = std::make_shared<std::packaged_task<Result()>>(std::move(work));
  std::future<Result> answer = task->get_future();
  std::thread([task = std::move(task)]() mutable {
    (*task)();
    task.reset();
  }).detach();
  if (answer.wait_for(deadline) != std::future_status::ready) detail::give_up(kind, uri, what, deadline);
  return answer.get();
}

}  // namespace ferry::libvirt
