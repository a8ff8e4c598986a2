// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as what an SFTP server says, of the zeros of a file, and as what a worker asks: what is no answer
// ends in an error.
#include <array>
#include <cstdint>
#include <fcntl.h>
#include <span>
#include <string>
#include <unistd.h>

#include "hosts/request_guard.hpp"
#include "hosts/ssh_host.hpp"
#include "hosts/zero_map.hpp"

namespace {

using namespace ferry;

// What comes from a server that has said all of it already, and hung up.
hosts::Streams said(std::span<const std::uint8_t> bytes) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
  hosts::Streams out;
  out.from.reset(ends[0]);
  const file::Descriptor writer(ends[1]);
  if (write(writer.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) std::abort();
  out.to.reset(open("/dev/null", O_WRONLY | O_CLOEXEC));
  return out;
}

template <class Work>
void attempt(const Work &work) {
  try {
    work();
  } catch (const Error &) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::span bytes(data, size);
  const auto host = [&] {
    return hosts::ssh_host("far", [&](const std::string &) { return std::optional(said(bytes)); },
                           {.tries = 0, .pause = std::chrono::milliseconds(0)});
  };
  const std::filesystem::path path = "/ssh:far/x";
  attempt([&] { static_cast<void>(host()->status(path, file::Links::follow)); });
  attempt([&] { static_cast<void>(host()->real(path)); });
  attempt([&] {
    const auto entries = host()->list(path);
    for (const on_host::Entry &entry : entries.value_or(std::vector<on_host::Entry>())) {
      if (entry.path.parent_path() != path) std::abort();
    }
  });
  attempt([&] {
    const auto file = host()->open(path);
    std::string into(std::min<std::uint64_t>(file->status().size, 10'000), '\0');
    file->read(0, into.data(), into.size());
  });
  hosts::ZeroMap zeros(said(bytes).from, 100);
  zeros.update();
  for (std::uint64_t at = 0; at <= 100;) {
    const std::uint64_t until = zeros.zeros_until(at);
    if (until < at || until > 100) std::abort();
    at = until + 1;
  }
  static_cast<void>(hosts::problem_of_request(bytes, "far", {.read = {"/ssh:far/x"}, .list = {}}));
  return 0;
}
