// SPDX-License-Identifier: Apache-2.0
// Writes in-memory disks through the engine into a qcow2, and holds what QEMU reads to what the map says.
#pragma once

#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "converters/copy/engine.hpp"
#include "converters/qcow2/writer.hpp"
#include "tests/copy/memory_image.hpp"
#include "tests/qcow2/checker.hpp"

#include "support/subprocess.hpp"

namespace ferry::test {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint64_t kIb = 1024, kMib = 1024 * kIb;  // bytes

inline bool have_qemu_img() { return !subprocess::find_program("qemu-img").empty(); }

inline std::string qemu_img(const std::vector<std::string> &arguments) {
  const subprocess::Result result = subprocess::run({.program = "qemu-img", .arguments = arguments});
  EXPECT_TRUE(result.ok()) << result.how() << "\n" << result.output << result.errors;
  return result.output;
}

inline Bytes read_all(const std::filesystem::path &path) {
  Bytes out(std::filesystem::file_size(path));
  std::ifstream(path, std::ios::binary)
      .read(reinterpret_cast<char *>(out.data()), static_cast<std::streamsize>(out.size()));
  return out;
}

inline void write_all(const std::filesystem::path &path, const Bytes &bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

// A state of a disk: its chain and what the guest reads.
struct TestState {
  std::string name;  // of the snapshot; the last state is the current one
  image::Chain chain;
  Bytes expected;
};

inline TestState make_state(std::string name, const std::vector<std::shared_ptr<MemoryImage>> &images) {
  Bytes expected;
  for (const auto &image : images) expected = image->over(std::move(expected));
  return {std::move(name), image::Chain({images.begin(), images.end()}), std::move(expected)};
}

struct Written {
  copy::Outcome outcome;
  std::uint64_t file_size = 0;
};

inline Written write_qcow2(const std::filesystem::path &path, const std::vector<TestState> &states,
                           qcow2::Layout layout = {}, const copy::Options &options = {.threads = 4}) {
  layout.virtual_size = states.back().chain.virtual_size();
  std::vector<const image::Chain *> chains;
  for (const TestState &state : states) chains.push_back(&state.chain);
  for (std::size_t i = 0; i + 1 < states.size(); ++i) {
    layout.snapshots.push_back({.name = states[i].name,
                                .created = 1'700'000'000 + static_cast<std::int64_t>(i),
                                .virtual_size = states[i].chain.virtual_size()});
  }
  copy::TargetFile file(path);
  qcow2::Writer writer(file, layout);
  Written out;
  out.outcome = copy::copy(copy::Sources(chains), writer, options);
  out.file_size = writer.finish();
  file.publish(false);
  return out;
}

// The tables are sound and every state reads as expected, by our own second opinion.
inline void expect_sound(const std::filesystem::path &path, const std::vector<TestState> &states) {
  try {
    const Qcow2Checker checker(read_all(path));
    for (const Qcow2Checker::State &written : checker.states()) {
      for (const TestState &state : states) {
        if (state.name != written.name) continue;
        Bytes expected = state.expected;
        expected.resize((expected.size() + 511) / 512 * 512);
        EXPECT_TRUE(checker.content(written) == expected) << "state '" << state.name << "'";
      }
    }
  } catch (const std::runtime_error &error) {
    ADD_FAILURE() << error.what();
  }
}

// `qemu-img check` finds nothing, and QEMU reads every state as expected.
inline void expect_reads_back(const TempFolder &folder, const std::filesystem::path &path,
                              const std::vector<TestState> &states) {
  expect_sound(path, states);
  if (!have_qemu_img()) GTEST_SKIP() << "qemu-img is not installed";
  const std::string verdict = qemu_img({"check", "-f", "qcow2", path.string()});
  EXPECT_NE(verdict.find("No errors were found"), std::string::npos) << verdict;
  for (const TestState &state : states) {
    const std::filesystem::path raw = folder / "back.raw";
    std::vector<std::string> arguments = {"convert", "-f", "qcow2", "-O", "raw"};
    if (&state != &states.back()) {
      arguments.insert(arguments.end(), {"-l", "snapshot.name=" + state.name});
    }
    arguments.insert(arguments.end(), {path.string(), raw.string()});
    qemu_img(arguments);
    Bytes expected = state.expected;
    expected.resize((expected.size() + 511) / 512 * 512);
    const Bytes back = read_all(raw);
    ASSERT_EQ(back.size(), expected.size()) << state.name;
    if (std::memcmp(back.data(), expected.data(), back.size()) != 0) {
      const auto at = std::mismatch(back.begin(), back.end(), expected.begin()).first - back.begin();
      ADD_FAILURE() << "state '" << state.name << "' differs at offset " << at;
    }
    std::filesystem::remove(raw);
  }
}

}  // namespace ferry::test
