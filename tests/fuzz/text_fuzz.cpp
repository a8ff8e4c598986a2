// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as a file of ours that others may have written: a batch's manifest, a recorded host, a run's journal.
// Each gives values or an Error. FUZZ_TEXT names the kind.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "exporters/libvirt/host/host_profile.hpp"
#include "migration/journal.hpp"
#include "migration/manifest.hpp"
#include "tests/fuzz/check_chain.hpp"
#include "tests/fuzz/work_folder.hpp"

namespace {

using namespace ferry;
using namespace ferry::fuzz;

#define FUZZ_NAME_OF(text) #text
#define FUZZ_NAME(text) FUZZ_NAME_OF(text)
constexpr std::string_view kKind = FUZZ_NAME(FUZZ_TEXT);

void read(WorkFolder &folder, std::string_view text) {
  if (kKind == "manifest") static_cast<void>(migration::manifest_entries(folder.put("m.yaml", text), {}));
  if (kKind == "host_profile") {
    const auto profile = libvirt::load_host_profile(folder.put("host.json", text));
    demand(!libvirt::host_profile_json(profile).empty());
  }
  if (kKind == "journal") {
    static const auto kRuns = [&folder] {
      setenv("XDG_STATE_HOME", folder.path().c_str(), 1);
      std::filesystem::create_directories(migration::journal_folder());
      std::filesystem::permissions(migration::journal_folder(), std::filesystem::perms::owner_all);
      return std::filesystem::relative(migration::journal_folder(), folder.path()).string();
    }();
    folder.put(kRuns + "/run.jsonl", text);
    static_cast<void>(migration::read_run("run"));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  static WorkFolder folder;
  try {
    read(folder, {reinterpret_cast<const char *>(data), size});
  } catch (const Error &error) {
    demand(error.kind() != ErrorKind::internal);
  }
  return 0;
}
