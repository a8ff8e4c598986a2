// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <clocale>
#include <cstdio>
#include <exception>
#include <new>
#include <signal.h>
#include <string>
#include <system_error>
#include <thread>
#include <unistd.h>

#include "cli/command.hpp"
#include "cli/output.hpp"

#include "support/text.hpp"

namespace {

constexpr int kWrongUsage = 2;
constexpr int kInterrupted = 130;  // the shells' code for SIGINT

// SIGINT, SIGTERM and SIGHUP ask the work to stop, so that it can clean up; a second one ends the program at once.
class Interrupts {
 public:
  Interrupts() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    // A closed terminal ends the program as Ctrl-C does; nohup has it ignored, and blocking would undo that.
    struct sigaction hangup {};
    if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) sigaddset(&signals_, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    std::thread([this] {
      int number = 0;
      sigwait(&signals_, &number);
      std::fputs("\nvirt-ferry: stopping; what was begun is removed\n", stderr);
      source_.request_stop();
      sigwait(&signals_, &number);
      _exit(kInterrupted);
    }).detach();
  }
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  sigset_t signals_{};
  std::stop_source source_;
};

int run(int argc, char **argv, const std::stop_token &stop) {
  CLI::App app("Moves virtual machines from VirtualBox and VMware to libvirt/QEMU in your own session.", "virt-ferry");
  app.set_version_flag("--version", "virt-ferry " FERRY_VERSION);
  app.require_subcommand(1);
  app.footer(std::string("Begin with 'virt-ferry list' or 'virt-ferry plan SOURCE': they change nothing.\n"
                         "'virt-ferry COMMAND --help' says more. ") +
             ferry::cli::kExitCodes);
  ferry::cli::Context context;
  context.stop = stop;
  ferry::cli::setup_inspect(app, context);
  ferry::cli::setup_plan(app, context);
  ferry::cli::setup_migrate(app, context);
  ferry::cli::setup_batch(app, context);
  ferry::cli::setup_list(app, context);
  ferry::cli::setup_undo(app, context);
  ferry::cli::setup_disk(app, context);
  ferry::cli::setup_host(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    // CLI11's own codes are 100 and more; help and version end with 0.
    return app.exit(error) == 0 ? 0 : kWrongUsage;
  }
  return context.exit_code;
}

}  // namespace

int main(int argc, char **argv) {
  // libarchive gives member names in the locale's encoding; OVF packages hold UTF-8.
  if (std::setlocale(LC_CTYPE, "C.UTF-8") == nullptr) std::setlocale(LC_CTYPE, "");
  static Interrupts interrupts;
  try {
    return run(argc, argv, interrupts.token());
  } catch (const ferry::Error &error) {
    ferry::cli::print_error(error);
    return ferry::exit_code(error.kind());
  } catch (const std::system_error &error) {  // the operating system's refusals that nobody expected
    std::fprintf(stderr, "virt-ferry: %s\n", ferry::text::printable(error.what()).c_str());
    return 1;
  } catch (const std::bad_alloc &) {
    std::fputs("virt-ferry: there is not enough memory\n", stderr);
    return 1;
  } catch (const std::exception &error) {
    std::fprintf(stderr,
                 "virt-ferry: %s\n  This is a defect of virt-ferry; please report it with the command and the source's "
                 "settings file.\n",
                 error.what());
    return 1;
  }
}
