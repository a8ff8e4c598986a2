// SPDX-License-Identifier: Apache-2.0
// Hostile inputs in bulk: the fixtures' settings files, damaged at random in the ways that files are damaged by people
// and by bits, planned by the program under limits. It ends with an exit code of the contract, soon, and never with a
// word of a defect. FERRY_TRIALS=long tries 2,400, otherwise 120.
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <random>
#include <sys/resource.h>

#include "tests/trials/trial.hpp"

namespace ferry {
namespace {

class Mutant : public Trial {
 protected:
  using Random = std::mt19937;

  static std::size_t below(Random &random, std::size_t bound) {
    return bound == 0 ? 0 : std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
  }

  static void mutate(std::string &text, Random &random) {
    static const std::array<std::string, 14> kPieces{"\"",
                                                     "'",
                                                     "<",
                                                     ">",
                                                     "&#0;",
                                                     "..",
                                                     "/",
                                                     "-1",
                                                     "99999999999999999999",
                                                     "\x80",
                                                     "\xff",
                                                     "true",
                                                     "{}",
                                                     std::string("\0", 1)};
    const std::size_t at = below(random, text.size());
    const std::size_t length = std::min(below(random, 200), text.size() - at);
    switch (below(random, 7)) {
      case 0: text[at] = static_cast<char>(static_cast<unsigned char>(text[at]) ^ (1U << below(random, 8))); break;
      case 1: text.resize(at); break;
      case 2: text.erase(at, length); break;
      case 3: text.insert(at, text.substr(below(random, text.size()), length)); break;
      case 4: text.insert(at, kPieces[below(random, kPieces.size())]); break;
      case 5: text.replace(at, length, std::string(length, static_cast<char>(below(random, 256)))); break;
      default: {  // a number becomes another
        const std::size_t digit = text.find_first_of("0123456789", at);
        if (digit != std::string::npos) text.insert(digit, std::to_string(below(random, 1U << 30U)));
      }
    }
  }

  // Files that a machine of the fixtures has.
  static std::vector<fs::path> seeds() {
    std::vector<fs::path> out;
    for (const auto &entry : fs::recursive_directory_iterator(fs::path(FERRY_SOURCE_DIR) / "fixtures")) {
      const std::string extension = entry.path().extension();
      if (extension == ".vbox" || extension == ".vmx" || extension == ".ovf" || extension == ".vmsd" ||
          extension == ".vmdk")
        out.push_back(entry.path());
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  // Nothing of ours takes more.
  static void limit() {
#if !defined(FERRY_SANITIZED)
    const rlimit addresses{256U << 20U, 256U << 20U};
    setrlimit(RLIMIT_AS, &addresses);
#endif
    const rlimit seconds{10, 10};
    setrlimit(RLIMIT_CPU, &seconds);
  }
};

TEST_F(Mutant, EndsInTimeWithAnExitCodeOfTheContract) {
  const std::vector<fs::path> all = seeds();
  ASSERT_GT(all.size(), 20U);
  const int tries = is_long() ? 2400 : 120;
  Random random(12);
  std::map<int, int> codes;
  double slowest = 0;
  for (int i = 0; i < tries && !HasFailure(); ++i) {
    const fs::path &seed = all[below(random, all.size())];
    fs::remove_all(source());
    fs::create_directories(source());
    for (const auto &entry : fs::directory_iterator(seed.parent_path())) {
      if (entry.is_regular_file() && !entry.path().filename().string().starts_with("expected"))
        fs::copy_file(entry.path(), source() / entry.path().filename());
    }
    std::string text = test::read_text(seed);
    for (std::size_t n = 1 + below(random, 4); n > 0; --n) mutate(text, random);
    folder_.write(source() / seed.filename(), text);
    const auto before = content(source());
    const auto began = std::chrono::steady_clock::now();
    const std::string extension = seed.extension();
    // What belongs to a machine's file is read by way of that.
    const fs::path named = extension == ".vmsd" ? source() : source() / seed.filename();
    std::vector<std::string> words{"plan", named, "--no-define", "--skip-disk", "missing", "--dest", dest()};
    if (extension == ".vmdk") words = {"disk", "info", named};
    const Ended ended = end(begin(words, {}, &Mutant::limit));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    slowest = std::max(slowest, took.count());
    ++codes[ended.code];
    const auto shown = [&] {
      return seed.string() + ", mutant " + std::to_string(i) + ":\n" + ended.output + "\n" + text;
    };
    EXPECT_EQ(ended.signal, 0) << shown();
    EXPECT_TRUE(ended.code == 0 || ended.code == 3) << ended.code << " " << shown();
    EXPECT_EQ(ended.output.find("a bug in"), std::string::npos) << shown();
    EXPECT_LT(took.count(), 20) << shown();
    EXPECT_EQ(content(source()), before) << shown();
  }
  for (const auto &[code, count] : codes) std::printf("exit %d: %d\n", code, count);
  std::printf("mutants: %d, the slowest took %.2f s\n", tries, slowest);
}

}  // namespace
}  // namespace ferry
