// SPDX-License-Identifier: Apache-2.0
// Windows of a disk, handed out to threads in order.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

namespace ferry::copy {

// One thread's work on [begin, end).
using WindowWork = std::function<void(std::uint64_t begin, std::uint64_t end)>;

// Bytes of the disk whose maps are asked for at once. Small enough to spread a small disk over the threads, large
// enough to step over an empty 2 TiB quickly; fewer units where units are small or states are many bound the memory.
// `sharing`: blocks are cloned, so that a window costs no reading.
[[nodiscard]] std::uint64_t window_size(std::uint64_t total, std::uint32_t unit, std::size_t states, unsigned threads,
                                        bool sharing);

// Calls the works that `make` gives (once per thread, in that thread) with consecutive windows until `total` is
// through. The calling thread is one of the `threads`. The first exception stops all and is thrown on; a
// requested `stop` throws Error cancelled.
void for_each_window(unsigned threads, std::uint64_t total, std::uint64_t window, const std::stop_token &stop,
                     const std::function<WindowWork()> &make);

// Throws Error cancelled when a stop was requested.
void throw_if_stopped(const std::stop_token &stop);

// `wanted`, or when that is 0 as many as the machine has, at most 16: each thread has buffers, and all of them
// together must stay below 128 MiB.
[[nodiscard]] unsigned thread_count(unsigned wanted);

}  // namespace ferry::copy
