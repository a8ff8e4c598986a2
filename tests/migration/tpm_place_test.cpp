// SPDX-License-Identifier: Apache-2.0
#include "migration/tpm_place.hpp"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>

#include "migration/host.hpp"
#include "tests/kit/scratch.hpp"

#include "support/error.hpp"

namespace ferry::migration {
namespace {

namespace fs = std::filesystem;

constexpr const char *kUuid = "5c0f4a3e-8d21-4b67-9e15-7a3c2d1b0f96";

struct TpmPlace : testing::Test {
  TpmPlace() {
    setenv("XDG_CONFIG_HOME", (scratch.folder() / "config").c_str(), 1);
    constexpr std::array<std::uint8_t, 6> kBegin{0, 3, 0xAB, 0x36, 0x47, 0x23};
    plan.has_tpm = true;
    plan.tpm_state.assign(1346, 0x5A);
    std::copy(kBegin.begin(), kBegin.end(), plan.tpm_state.begin());
    plan.domain_uuid = *Uuid::parse(kUuid);
    plan.tpm_folder = folder();
    journal.emplace(Journal::Begin{.source = scratch.folder() / "m.vbox",
                                   .files = {},
                                   .machine = "m",
                                   .uuid = kUuid,
                                   .connect = "qemu:///session",
                                   .dest = scratch.folder() / "out",
                                   .plan = ""});
  }
  ~TpmPlace() override { unsetenv("XDG_CONFIG_HOME"); }
  [[nodiscard]] static fs::path folder() { return tpm_folders() / kUuid; }
  [[nodiscard]] static fs::path file() { return folder() / "tpm2/tpm2-00.permall"; }
  [[nodiscard]] UndoResult remove(bool machine_gone) const {
    UndoResult out;
    remove_tpm_state(journal->record(), machine_gone, out);
    return out;
  }

  tests::Scratch scratch;
  MachinePlan plan;
  std::optional<Journal> journal;
};

TEST_F(TpmPlace, WhatWasPlacedIsTakenBackWithItsFolders) {
  place_tpm_state(plan, *journal);
  ASSERT_TRUE(fs::exists(file()));
  EXPECT_EQ(tpm_files(folder()), std::vector<fs::path>{file()}) << "no temporary name is left";
  place_tpm_state(plan, *journal);  // gone on with, after it was cut off
  EXPECT_EQ(remove(false).removed, std::vector<std::string>{file().string()});
  EXPECT_FALSE(fs::exists(folder()));
}

// The folder of a machine that was replaced is no folder that the run made, and what was in it was set aside.
TEST_F(TpmPlace, WhatCameAfterTheOldContentWasSetAsideGoesWithTheMachine) {
  scratch.write(file(), "of the machine that is replaced");
  plan.tpm_state.clear();
  journal->aside({.file = file(), .kept = scratch.folder() / "kept", .inode = 0, .changed = 0});
  fs::rename(file(), scratch.folder() / "kept");
  place_tpm_state(plan, *journal);
  scratch.write(file(), "of the new machine, by its use");
  EXPECT_TRUE(remove(false).removed.empty());
  EXPECT_EQ(remove(true).removed, std::vector<std::string>{file().string()});
  EXPECT_TRUE(fs::exists(file().parent_path())) << "the old content comes back into it";
  journal->done();
  (void)remove(true);
  EXPECT_FALSE(fs::exists(folder()));
}

TEST_F(TpmPlace, AnotherMachinesStateIsNeitherReplacedNorRemoved) {
  scratch.write(file(), "of a machine that had this UUID");
  EXPECT_THROW(refuse_tpm_of_others(plan, {}), Error);
  EXPECT_THROW(place_tpm_state(plan, *journal), Error);
  EXPECT_TRUE(remove(true).removed.empty());
  EXPECT_EQ(test::read_text(file()), "of a machine that had this UUID");
}

// swtpm writes the whole content anew: another file of the same name.
TEST_F(TpmPlace, WhatTheGuestMadeOfItGoesWithTheMachineOnly) {
  place_tpm_state(plan, *journal);
  const auto newer = scratch.write("newer", "written by swtpm");
  fs::rename(newer, file());
  EXPECT_EQ(remove(false).kept.size(), 1U);
  EXPECT_TRUE(fs::exists(file()));
  (void)remove(true);
  EXPECT_FALSE(fs::exists(folder()));
}

}  // namespace
}  // namespace ferry::migration
