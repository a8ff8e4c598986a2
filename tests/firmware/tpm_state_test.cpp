// SPDX-License-Identifier: Apache-2.0
#include "converters/firmware/tpm_state.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "converters/firmware/findings.hpp"
#include "tests/firmware/builder.hpp"

#include "support/subprocess.hpp"

namespace ferry::firmware {
namespace {

using namespace testing;  // NOLINT: the builder's
using ::testing::HasSubstr;

constexpr std::string_view kName = "tpm2-00.permall";

Bytes tpm_blob(std::size_t size = 1346) {
  constexpr std::array<std::uint8_t, 6> kBegin{0, 3, 0xAB, 0x36, 0x47, 0x23};
  Bytes out(size, 0x5A);
  std::copy_n(kBegin.begin(), std::min(kBegin.size(), size), out.begin());
  return out;
}

unsigned mode_of(const std::filesystem::path &path) {
  struct stat status {};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 0777U;
}

TEST(TpmState, HasSwtpmsHeaderBeforeTheBlob) {
  const Bytes found = swtpm_state(tpm_blob());
  const Bytes header = {2, 1, 0, 10, 0, 0, 0, 0, 0x05, 0x52, 0, 1, 0, 0, 0x05, 0x42};
  ASSERT_EQ(found.size(), 1346U + 16);
  EXPECT_TRUE(std::equal(header.begin(), header.end(), found.begin()));
  EXPECT_TRUE(std::equal(found.begin() + 16, found.end(), tpm_blob().begin()));
}

TEST(TpmState, LiesWhereLibvirtLooksWithLibvirtsModes) {
  const Folder folder;
  const auto place = folder.path() / "swtpm" / "6f2d8b5c-2a57-4d2c-8b6e-2f1f6a8b9c0d";
  umask(0);
  const auto file = write_swtpm_state(tpm_blob(), place, kName);
  umask(022);
  EXPECT_EQ(file, place / "tpm2" / "tpm2-00.permall");
  EXPECT_EQ(read(file), swtpm_state(tpm_blob()));
  EXPECT_EQ(mode_of(file), 0600U);
  EXPECT_EQ(mode_of(place), 0711U);
  EXPECT_EQ(mode_of(place / "tpm2"), 0700U);
}

TEST(TpmState, AnExistingStateIsNeverReplaced) {
  const Folder folder;
  const auto file = write_swtpm_state(tpm_blob(), folder.path() / "x", kName);
  try {
    write_swtpm_state(tpm_blob(2000), folder.path() / "x", kName);
    FAIL();
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
  }
  EXPECT_EQ(read(file), swtpm_state(tpm_blob()));
}

TEST(TpmState, OnlyATpm20sStateIsTaken) {
  EXPECT_EQ(problem_of_tpm_state(tpm_blob()), "");
  EXPECT_THAT(problem_of_tpm_state(Bytes(5, 0)), HasSubstr("short"));
  EXPECT_THAT(problem_of_tpm_state(tpm_blob((1U << 20U) + 1)), HasSubstr("long"));
  EXPECT_THAT(problem_of_tpm_state(Bytes(100, 0)), HasSubstr("TPM 2.0"));
  const Folder folder;
  EXPECT_THROW(write_swtpm_state(Bytes(100, 0), folder.path() / "x", kName), Error);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "x"));
}

// swtpm's own file, its header taken off, comes back the same.
TEST(TpmState, IsWhatSwtpmWrites) {
  if (subprocess::find_program("swtpm_setup").empty()) GTEST_SKIP() << "no swtpm_setup";
  const Folder folder;
  const subprocess::Result made =
      subprocess::run({.program = "swtpm_setup",
                       .arguments = {"--tpm2", "--tpmstate", folder.path().string(), "--createek"},
                       .limits = {.deadline = std::chrono::seconds(60)},
                       .on_line = {}});
  const auto state = folder.path() / "tpm2-00.permall";
  if (!made.ok() || !std::filesystem::exists(state)) GTEST_SKIP() << "swtpm_setup cannot work here: " << made.errors;
  const Bytes theirs = read(state);
  ASSERT_GT(theirs.size(), 16U);
  EXPECT_EQ(problem_of_tpm_state(Bytes(theirs.begin() + 16, theirs.end())), "");
  EXPECT_EQ(swtpm_state(Bytes(theirs.begin() + 16, theirs.end())), theirs);
}

TEST(SwtpmFile, GivesTheBlobBackAndTakesABareOne) {
  const Folder folder;
  folder.write("framed", swtpm_state(tpm_blob()));
  EXPECT_EQ(read_swtpm_state(folder.path() / "framed", TpmKind::v2).state, tpm_blob());
  folder.write("bare", tpm_blob());
  EXPECT_EQ(read_swtpm_state(folder.path() / "bare", TpmKind::v2).state, tpm_blob());
  // A TPM 1.2's has no mark of its own.
  folder.write("old", swtpm_state(Bytes(300, 4)));
  EXPECT_EQ(read_swtpm_state(folder.path() / "old", TpmKind::old).state, Bytes(300, 4));
  const TpmContents other = read_swtpm_state(folder.path() / "old", TpmKind::v2);
  EXPECT_THAT(other.state, ::testing::IsEmpty());
  EXPECT_THAT(other.problem, HasSubstr("TPM 2.0"));
}

TEST(SwtpmFile, SaysWhyItCannotBeUsed) {
  const Folder folder;
  EXPECT_THAT(read_swtpm_state(folder.path() / "none", TpmKind::v2).problem, Not(::testing::IsEmpty()));
  Bytes encrypted = swtpm_state(tpm_blob());
  encrypted[11] = 2;  // the tag
  folder.write("encrypted", encrypted);
  EXPECT_THAT(read_swtpm_state(folder.path() / "encrypted", TpmKind::v2).problem, HasSubstr("encrypted"));
  Bytes cut = swtpm_state(tpm_blob());
  cut[12] = 1;  // the blob's size, 16 MiB more
  folder.write("cut", cut);
  const TpmContents found = read_swtpm_state(folder.path() / "cut", TpmKind::v2);
  EXPECT_THAT(found.problem, HasSubstr("cut short"));
  EXPECT_THAT(found.state, ::testing::IsEmpty());
}

TEST(SwtpmFile, AnOldTpmHasAFolderOfItsOwn) {
  const Folder folder;
  const auto file = write_swtpm_state(Bytes(300, 4), folder.path() / "x", "tpm-00.permall", TpmKind::old);
  EXPECT_EQ(file, folder.path() / "x" / swtpm_state_name(TpmKind::old));
  EXPECT_EQ(read_swtpm_state(file, TpmKind::old).state, Bytes(300, 4));
}

TEST(TpmFinding, SaysWhatTheNewTpmHolds) {
  TpmContents contents{tpm_blob(), ""};
  const Finding carried = tpm_finding(&contents, true, false, {});
  EXPECT_EQ(carried.id, "firmware.tpm-state-carried");
  EXPECT_EQ(carried.severity, Severity::info);
  EXPECT_THAT(carried.message, HasSubstr("differ"));
  EXPECT_THAT(tpm_finding(&contents, true, true, {}).message, Not(HasSubstr("differ")));
  const Finding refused = tpm_finding(&contents, false, false, {});
  EXPECT_EQ(refused.id, "firmware.tpm-state-fresh");
  EXPECT_EQ(refused.severity, Severity::warning);
  EXPECT_THAT(refused.advice, HasSubstr("BitLocker"));
  EXPECT_THAT(refused.message, HasSubstr("this host"));
  contents = {{}, "it is too short"};
  EXPECT_THAT(tpm_finding(&contents, false, false, {}).message, HasSubstr("too short"));
  EXPECT_EQ(tpm_finding(nullptr, false, false, {}).id, "firmware.tpm-state-fresh");
}

}  // namespace
}  // namespace ferry::firmware
