// SPDX-License-Identifier: Apache-2.0
#include "migration/shard.hpp"

#include <gmock/gmock.h>
#include <map>
#include <numeric>

#include "migration/batch.hpp"
#include "migration/manifest.hpp"
#include "migration/manifest_writer.hpp"
#include "tests/kit/scratch.hpp"

namespace ferry::migration {
namespace {

using testing::HasSubstr;

Variables variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string &name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

std::string shard(const std::string &text, const std::map<std::string, std::string> &environment = {}) {
  try {
    const Shard out = shard_of(text, variables(environment));
    return std::to_string(out.index) + "/" + std::to_string(out.count);
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return "refused";
  }
}

std::map<std::string, std::string> slurm(const char *id, const char *first, const char *count, const char *step = "1") {
  return {{"SLURM_ARRAY_TASK_ID", id},
          {"SLURM_ARRAY_TASK_MIN", first},
          {"SLURM_ARRAY_TASK_COUNT", count},
          {"SLURM_ARRAY_TASK_STEP", step}};
}

TEST(Shard, IsNamedByAPersonOrByTheCluster) {
  EXPECT_EQ(shard("2/8"), "2/8");
  EXPECT_EQ(shard("8/8"), "8/8");
  EXPECT_EQ(shard("auto", slurm("0", "0", "8")), "1/8");
  EXPECT_EQ(shard("auto", slurm("8", "1", "8")), "8/8");
  EXPECT_EQ(shard("auto", slurm("6", "0", "8", "2")), "4/8");
  EXPECT_EQ(shard("auto/8", slurm("3", "1", "8")), "3/8");
  EXPECT_EQ(shard("auto/8", {{"JOB_COMPLETION_INDEX", "0"}}), "1/8");
}

TEST(Shard, WhatMakesNoSenseIsRefused) {
  for (const char *text : {"", "1", "0/8", "9/8", "1/0", "a/b", "1/8/9", "-1/8", "auto/", "auto/x", "1/99999999"})
    EXPECT_EQ(shard(text), "refused") << text;
  EXPECT_EQ(shard("auto"), "refused") << "no cluster";
  EXPECT_EQ(shard("auto", {{"JOB_COMPLETION_INDEX", "0"}}), "refused") << "nobody says how many";
  EXPECT_EQ(shard("auto/4", slurm("1", "1", "8")), "refused") << "the array has eight";
  EXPECT_EQ(shard("auto", slurm("9", "1", "3")), "refused") << "--array=1,5,9";
  EXPECT_EQ(shard("auto/4", {{"JOB_COMPLETION_INDEX", "4"}}), "refused");
}

TEST(Shard, AllShardsTogetherHaveEachMachineOnce) {
  std::vector<std::optional<std::uint64_t>> bytes;
  for (std::uint64_t i = 0; i < 200; ++i)
    bytes.push_back(i % 7 == 0 ? std::nullopt : std::optional(i * i * 7919 % 1'000'003));
  for (std::size_t count : {1U, 2U, 3U, 8U, 199U, 200U, 250U}) {
    std::vector<std::size_t> all;
    for (std::size_t index = 1; index <= count; ++index) {
      const auto members = members_of({index, count}, bytes);
      EXPECT_TRUE(std::is_sorted(members.begin(), members.end()));
      all.insert(all.end(), members.begin(), members.end());
    }
    std::sort(all.begin(), all.end());
    std::vector<std::size_t> wanted(bytes.size());
    std::iota(wanted.begin(), wanted.end(), std::size_t{0});
    EXPECT_EQ(all, wanted) << count;
  }
}

TEST(Shard, ShardsTakeAboutAsLong) {
  std::vector<std::optional<std::uint64_t>> bytes;
  std::uint64_t sum = 0, state = 12345;
  for (int i = 0; i < 200; ++i) {  // a few large ones, many small ones
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    const std::uint64_t size = (std::uint64_t{1} << (20 + (state >> 60U))) + (state >> 40U);
    bytes.emplace_back(size);
    sum += size;
  }
  const std::uint64_t largest = bytes[0].value();
  std::uint64_t fullest = 0, greatest = largest;
  for (std::size_t index = 1; index <= 8; ++index) {
    std::uint64_t load = 0;
    for (const std::size_t member : members_of({index, 8}, bytes)) load += bytes[member].value();
    fullest = std::max(fullest, load);
  }
  for (const auto &one : bytes) greatest = std::max(greatest, one.value());
  // No division can do better than the larger of the two.
  EXPECT_LE(fullest, std::max(sum / 8, greatest) * 105 / 100);
}

std::vector<std::string> arguments(const std::vector<BatchEntry> &entries) {
  std::vector<std::string> out;
  for (const BatchEntry &entry : entries) out.push_back(std::filesystem::path(entry.argument).filename().string());
  return out;
}

TEST(Shard, IsCutFromTheManifestsTextAlone) {
  const tests::Scratch scratch;
  const auto manifest = scratch.write("m.yaml",
                                      "machines:\n"
                                      "  - {source: a.vbox, name: a, bytes: 10}\n"
                                      "  - {source: b.vbox, name: b, bytes: 30}\n"
                                      "  - {source: c.vbox, name: c, bytes: 20}\n");
  EXPECT_EQ(arguments(batch_entries(manifest, {}, {1, 2})), (std::vector<std::string>{"b.vbox"}));
  const auto second = batch_entries(manifest, {}, {2, 2});
  EXPECT_EQ(arguments(second), (std::vector<std::string>{"a.vbox", "c.vbox"})) << "in the manifest's order";
  EXPECT_TRUE(second[0].error) << "what is not there is a row, and moves no other machine";
  EXPECT_TRUE(batch_entries(manifest, {}, {4, 4}).empty());
}

std::string refused(const std::filesystem::path &file) {
  try {
    (void)batch_entries(file, {}, {1, 2});
    return {};
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.detail().message + " " + error.detail().found;
  }
}

TEST(Shard, NamesAreGivenOutBeforeTheCut) {
  const tests::Scratch scratch;
  EXPECT_THAT(refused(scratch.folder()), HasSubstr("only a manifest"));
  EXPECT_THAT(refused(scratch.write("a.yaml", "machines: [a.vbox]\n")), HasSubstr("no name of its own"));
  EXPECT_THAT(refused(scratch.write("b.yaml", "defaults: {name: '{name}-x'}\nmachines: [{source: a.vbox}]\n")),
              HasSubstr("no name of its own"));
  EXPECT_THAT(refused(scratch.write("c.yaml", "machines: [{source: a, name: x}, {source: b, name: x}]\n")),
              HasSubstr("two machines have one name x"));
  EXPECT_THROW((void)manifest_entries(scratch.write("d.yaml", "machines: [{source: a, bytes: many}]\n"), {}), Error);
}

TEST(ManifestWriter, WhatItWritesIsReadAsItWas) {
  const tests::Scratch scratch;
  report::Document document;
  for (const char *name : {"web", "n", "null", "52:54:00", "a \"quoted\" {name", "Gr\xC3\xB6\xC3\x9F", "#x"}) {
    report::MachineReport machine;
    machine.name = name;
    machine.source = (scratch.folder() / "vms" / (std::string(name) + ".vbox")).string();
    scratch.write("vms/" + std::string(name) + ".vbox", "x");
    machine.disks.push_back({.allocated = 5});
    machine.disks.push_back({.allocated = 7});
    document.machines.push_back(machine);
  }
  document.machines.back().number = 2;
  report::MachineReport broken;
  broken.source = "/vms/broken.vmx\n  - source: injected";
  broken.refusal = report::Refusal{ErrorKind::malformed, {.message = "it breaks off"}};
  document.machines.push_back(broken);
  const auto file = scratch.write("all.yaml", manifest_of(document, scratch.folder() / "all.yaml"));
  const auto entries = manifest_entries(file, {});
  ASSERT_EQ(entries.size(), 7U);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(entries[i].argument, document.machines[i].source);
    EXPECT_EQ(entries[i].options.name, document.machines[i].name);
    EXPECT_EQ(entries[i].bytes, 12U);
  }
  EXPECT_EQ(entries.back().options.machine, 2U);
  report::Document none;
  none.machines.push_back(broken);
  EXPECT_THROW((void)manifest_of(none, "/m.yaml"), Error);
}

}  // namespace
}  // namespace ferry::migration
