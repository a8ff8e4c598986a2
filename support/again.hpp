// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <sys/types.h>

namespace ferry {

// What a system call returns; one that a signal interrupted before it did anything is made again. errno is the call's.
template <class Call>
ssize_t again(const Call &call) {
  ssize_t done = -1;
  do done = call();
  while (done < 0 && errno == EINTR);
  return done;
}

}  // namespace ferry
