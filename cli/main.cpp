// SPDX-License-Identifier: Apache-2.0
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "cli/command_line.hpp"
#include "cli/interrupts.hpp"
#include "cli/output.hpp"
#include "migration/host.hpp"
#include "migration/reader.hpp"

#include "hosts/known_hosts.hpp"
#include "support/folders.hpp"
#include "support/limits.hpp"
#include "support/text.hpp"
#include "support/worker.hpp"

namespace {

int guarded(const std::vector<std::string> &words) {
  std::stop_token stop;
  try {
    const ferry::cli::Interrupts interrupts;
    stop = interrupts.token();
    return ferry::cli::run_command_line(words, stop);
  } catch (const ferry::Error &error) {
    ferry::cli::print_error(error);
    return stop.stop_requested() ? ferry::cli::kInterrupted : ferry::exit_code(error.kind());
  } catch (const std::system_error &error) {  // the operating system's refusals that nobody expected
    ferry::cli::print_error(ferry::limits::as_error(error));
    return 1;
  } catch (const std::bad_alloc &) {
    std::fputs("virt-ferry: out of memory\n", stderr);
    return 1;
  } catch (const std::exception &error) {
    std::fprintf(stderr,
                 "virt-ferry: %s\n  This is a bug in virt-ferry; please report it with the command and the source's "
                 "settings file.\n",
                 ferry::text::printable(error.what()).c_str());
    return 1;
  }
}

}  // namespace

int main(int argc, char **argv) {
  ferry::cli::open_standard_descriptors();
  ferry::limits::open_files();  // raises the limit, before anything is opened or started
  // libarchive gives member names in the locale's encoding; OVF packages hold UTF-8.
  if (std::setlocale(LC_CTYPE, "C.UTF-8") == nullptr) std::setlocale(LC_CTYPE, "");
  if (const auto runtime = ferry::folders::runtime_of_login()) setenv("XDG_RUNTIME_DIR", runtime->c_str(), 1);
  // Before the first thread, and before anything is opened that a worker has no business with.
  ferry::worker::begin(&ferry::migration::serve_reader);
  ferry::hosts::speak_by_ssh();
  const int code = guarded({argv + (argc > 0 ? 1 : 0), argv + argc});
  ferry::hosts::end_all();
  if (ferry::migration::is_call_left_alone()) {  // a call is still waiting, and uses what exit() would take down
    std::fflush(nullptr);
    _exit(code);
  }
  return code;
}
