// SPDX-License-Identifier: Apache-2.0
// Questions about a path, each to a worker of its own that may read there and nowhere else.
#include <functional>
#include <optional>

#include "migration/reader_rules.hpp"
#include "migration/reader_session.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

// nullopt where there are no workers.
std::optional<std::string> ask_about(const fs::path &path, Ask what, const std::function<cage::Rules()> &rules) {
  const auto session = worker::available() ? Session::start(rules(), path) : nullptr;
  if (!session) return std::nullopt;
  return session->ask({.what = what, .value = exact::written(path.string())});
}

[[noreturn]] void lies_elsewhere(const fs::path &asked) {
  throw Error(ErrorKind::internal, {.where = {.file = asked}, .message = "a source was found that does not lie here"});
}

}  // namespace

FoundSource find_source_in_worker(const fs::path &path) {
  const auto answer = ask_about(path, Ask::find, [&] { return rules_for(path); });
  if (!answer) return find_source_at(path);
  auto out = exact::read<FoundSource>(*answer);
  const fs::path asked = fs::absolute(path).lexically_normal();
  if (out.file != asked && !reach::below(out.file, asked)) lies_elsewhere(path);
  return out;
}

FoundBelow find_below_in_worker(const fs::path &folder) {
  const auto answer = ask_about(folder, Ask::below, [&] { return rules_for(folder); });
  if (!answer) return find_below(folder);
  auto said = exact::read<BelowAnswer>(*answer);
  FoundBelow out;
  for (const FoundSource &source : said.sources) {
    if (!reach::below(source.file.parent_path(), folder)) lies_elsewhere(folder);
  }
  out.sources = std::move(said.sources);
  for (const Failure &failure : said.unreadable) out.unreadable.push_back(failure.error());
  return out;
}

std::optional<SourceKind> detect_in_worker(const fs::path &file) {
  const auto answer = ask_about(file, Ask::detect, [&] { return rules_for(file); });
  return answer ? exact::read<DetectAnswer>(*answer).kind : detect_source_at(file);
}

Registered registered_in_worker(const fs::path &windows_root) {
  const auto answer = ask_about(windows_root, Ask::registered, [&] { return rules_for_registries(windows_root); });
  if (!answer) {
    Registered out = read_registered(windows_root);
    out.why_here = worker::why_none();
    return out;
  }
  auto said = exact::read<RegisteredAnswer>(*answer);
  Registered out{std::move(said.machines), {}, {}};
  for (const Failure &failure : said.unreadable) out.unreadable.push_back(failure.error());
  return out;
}

std::vector<std::string> lacking_cages() {
  const cage::Offer offer = cage::offered();
  if (!offer.seccomp) return {"this kernel has no seccomp filters, so machines are read in virt-ferry itself"};
  std::vector<std::string> out;
  if (offer.landlock == 0) {
    out.emplace_back(
        "this kernel has no Landlock, so the processes that read machines are kept from sockets and programs, but not "
        "from your files");
  }
  if (!worker::Worker::start({}))
    out.emplace_back("no process can be started to read machines in, so they are read in virt-ferry itself");
  return out;
}

}  // namespace ferry::migration
