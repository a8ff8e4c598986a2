// SPDX-License-Identifier: Apache-2.0
#include "migration/manifest.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/kit/scratch.hpp"

namespace ferry::migration {
namespace {

TEST(Manifest, MachinesTakeDefaultsAndTheirOwnOptions) {
  const tests::Scratch scratch;
  scratch.write("a/web.vbox", "x");
  const auto file = scratch.write("m.yaml",
                                  "defaults: {dest: /srv, verify: true}\n"
                                  "machines:\n"
                                  "  - source: a/web.vbox\n"
                                  "    mac: {2: '08:00:27:00:00:01'}\n"
                                  "    network: {1: none, 2: 'bridge:br0', default: 'network:lab'}\n"
                                  "    verify: false\n"
                                  "  - other\n");
  const auto entries = manifest_entries(file, {});
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].argument, (scratch.folder() / "a/web.vbox").string());
  EXPECT_EQ(entries[0].options.dest, "/srv");
  EXPECT_FALSE(entries[0].options.verify);
  EXPECT_TRUE(entries[1].options.verify);
  EXPECT_EQ(entries[0].options.identity.macs.count(1), 1U);
  EXPECT_EQ(entries[0].options.hardware.networks.at(1).text(), "bridge:br0");
  EXPECT_EQ(entries[0].options.hardware.network_of(2)->text(), "network:lab");
  EXPECT_EQ(entries[1].argument, "other");
}

void expect_error_at(const std::string &text, std::uint64_t line, const std::string &part) {
  const tests::Scratch scratch;
  const auto file = scratch.write("m.yaml", text);
  try {
    (void)manifest_entries(file, {});
    FAIL() << text;
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_EQ(error.detail().where.line, line) << error.what();
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(Manifest, ErrorsNameFileAndLine) {
  expect_error_at("machines:\n  - source: x\n    colour: red\n", 3, "colour");
  expect_error_at("machines:\n  - source: x\n    mac: never\n", 3, "never");
  expect_error_at("machines: [\n", 2, "not YAML");
  expect_error_at("hello\n", 1, "not a batch manifest");
  expect_error_at("machines:\n  - name: x\n", 2, "no source");
  expect_error_at("machine:\n  - x\nmachines: []\n", 1, "machine");
  expect_error_at("machines: []\n", 1, "no machine");
  expect_error_at("machines:\n  - source: [x]\n", 2, "source");
  expect_error_at("machines:\n  - source: ~\n", 2, "source");
  expect_error_at("machines:\n  - source: x\n    mac: {1: [y]}\n", 3, "mac");
  expect_error_at("machines:\n  - source: x\n    skip-disk: some\n", 3, "some");
}

TEST(Manifest, DisksToSkipAreOneOrAList) {
  const tests::Scratch scratch;
  const auto file = scratch.write("m.yaml",
                                  "machines:\n"
                                  "  - {source: a, skip-disk: 2}\n"
                                  "  - {source: b, skip-disk: [3, missing, unsupported]}\n");
  const auto entries = manifest_entries(file, {});
  EXPECT_EQ(entries.at(0).options.skip_disks.numbers, std::set<std::size_t>{2});
  EXPECT_FALSE(entries.at(0).options.skip_disks.missing);
  EXPECT_EQ(entries.at(1).options.skip_disks.numbers, std::set<std::size_t>{3});
  EXPECT_TRUE(entries.at(1).options.skip_disks.missing && entries.at(1).options.skip_disks.unsupported);
}

ErrorKind refusal_of(const std::filesystem::path &argument, const Options &options = {}) {
  try {
    (void)batch_entries(argument, options);
  } catch (const Error &error) {
    return error.kind();
  }
  ADD_FAILURE() << argument << " was taken";
  return ErrorKind::internal;
}

TEST(BatchEntries, WhatIsNoManifestIsNotReadAsOne) {
  const tests::Scratch scratch;
  EXPECT_EQ(refusal_of("/dev/zero"), ErrorKind::usage);
  const auto machine = scratch.write("m.vmx", ".encoding = \"UTF-8\"\nconfig.version = \"8\"\n");
  EXPECT_EQ(refusal_of(machine), ErrorKind::usage);
}

// These ended in a crash, or would have filled the memory.
TEST(BatchEntries, AManifestDoesNotGrowByItsAliases) {
  const tests::Scratch scratch;
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int n = 0; n < 9; ++n) bomb += ", " + before;
    bomb += "]\n";
  }
  for (const std::string &text : {std::string("machines: &m\n  - source: a.vmx\n    mac: *m\n"),
                                  std::string("defaults: &d {network: *d}\nmachines: [a]\n"),
                                  bomb + "machines: [a.vmx]\n", "machines: " + std::string(10'000, '[')})
    EXPECT_EQ(refusal_of(scratch.write("m.yaml", text)), ErrorKind::usage) << text.substr(0, 60);
  EXPECT_EQ(batch_entries(scratch.write("m.yaml",
                                        "defaults: &d {verify: true}\nmachines:\n  - {source: a.vmx, verify: &v true}\n"
                                        "  - {source: b.vmx, verify: *v}\n"),
                          {})
                .size(),
            2U);
}

TEST(BatchEntries, AFifoIsNotWaitedFor) {
  const tests::Scratch scratch;
  ASSERT_EQ(mkfifo((scratch / "m.yaml").c_str(), 0600), 0);
  EXPECT_EQ(refusal_of(scratch / "m.yaml"), ErrorKind::usage);
}

TEST(BatchEntries, AFolderTakesNoOptionOfOneMachine) {
  const tests::Scratch scratch;
  scratch.write("a/m.vmx", ".encoding = \"UTF-8\"\nconfig.version = \"8\"\n");
  Options options;
  EXPECT_EQ(batch_entries(scratch.folder(), options).size(), 1U);
  options.name = "x";
  EXPECT_EQ(refusal_of(scratch.folder(), options), ErrorKind::usage);
}

TEST(BatchEntries, GoesToOneConnection) {
  BatchEntry one, other;
  one.options.define = false;
  EXPECT_TRUE(host_options({one, other}).define) << "one machine is to be defined";
  other.options.connect = "test:///default";
  EXPECT_THROW((void)host_options({one, other}), Error);
}

}  // namespace
}  // namespace ferry::migration
