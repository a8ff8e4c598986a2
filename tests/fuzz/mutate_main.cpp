// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target over its seeds, and over these with damage, for some seconds: with any compiler and in any build,
// where libFuzzer wants clang and a build of its own. It does not see what an input reaches, so it finds less; what it
// finds, it finds in every run of the tests.
//
//   fuzz_NAME SECONDS LONGEST SEEDS [NUMBER]
//
// NUMBER begins the series of damages; the one that was used is printed, and so is where an input lies that ended the
// program. LONGEST: bytes of an input.
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;
using Clock = std::chrono::steady_clock;

constexpr unsigned kLongestRun = 20;        // seconds that one input may take
constexpr rlim_t kMostMemory = 1500 << 20;  // bytes of addresses

// For the handler of signals.
const Bytes *current = nullptr;
std::array<char, 64> found_name{"fuzz-found"};

void say(const char *text) { (void)!write(STDERR_FILENO, text, std::strlen(text)); }

extern "C" void keep_input(int signal) {
  say(signal == SIGALRM ? "an input takes too long; it is kept in " : "an input ended the program; it is kept in ");
  say(found_name.data());
  say("\n");
  const int file = open(found_name.data(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file >= 0 && current != nullptr) (void)!write(file, current->data(), current->size());
  _exit(1);
}

void catch_signals(const char *program) {
  const std::string name = "found-" + std::filesystem::path(program).filename().string();
  std::copy_n(name.begin(), std::min(name.size(), found_name.size() - 1), found_name.begin());
  found_name[std::min(name.size(), found_name.size() - 1)] = '\0';
  struct sigaction action {};
  action.sa_handler = keep_input;
  action.sa_flags = SA_ONSTACK;  // an endless recursion has used up the other one
  static std::array<char, 65536> stack;
  stack_t other{};
  other.ss_sp = stack.data();
  other.ss_size = stack.size();
  sigaltstack(&other, nullptr);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM}) sigaction(signal, &action, nullptr);
}

void run(const Bytes &input) {
  current = &input;
  alarm(kLongestRun);
  (void)LLVMFuzzerTestOneInput(input.data(), input.size());
  alarm(0);
}

class Damage {
 public:
  Damage(const std::vector<Bytes> &seeds, std::size_t longest, std::uint64_t number)
      : seeds_(seeds), longest_(longest), random_(number) {}

  Bytes next() {
    Bytes out = seeds_[below(seeds_.size())];
    for (std::size_t times = 1 + below(6); times > 0; --times) once(out);
    if (out.size() > longest_) out.resize(longest_);
    return out;
  }

 private:
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : static_cast<std::size_t>(random_() % limit); }
  static Bytes::iterator at(Bytes &bytes, std::size_t offset) {
    return bytes.begin() + static_cast<Bytes::difference_type>(offset);
  }

  void once(Bytes &bytes) {
    if (bytes.empty()) bytes.push_back(static_cast<std::uint8_t>(random_()));
    const std::size_t where = below(bytes.size()), length = 1 + below(std::min<std::size_t>(64, bytes.size() - where));
    switch (below(8)) {
      case 0: bytes[where] = static_cast<std::uint8_t>(bytes[where] ^ (1U << below(8))); break;
      case 1: bytes[where] = static_cast<std::uint8_t>(random_()); break;
      case 2: put_number(bytes, where); break;
      case 3: bytes.erase(at(bytes, where), at(bytes, where + length)); break;
      case 4: {
        const Bytes part(at(bytes, where), at(bytes, where + length));
        bytes.insert(at(bytes, below(bytes.size())), part.begin(), part.end());
        break;
      }
      case 5: splice(bytes, where, length); break;
      case 6: bytes.resize(where); break;
      default: std::swap_ranges(at(bytes, where), at(bytes, where + length / 2), at(bytes, where + length / 2)); break;
    }
  }

  // A number at a border, in each width and order.
  void put_number(Bytes &bytes, std::size_t where) {
    constexpr std::array<std::uint64_t, 12> kBorders{0,      1,          0x7F,       0x80,       0xFF,      0x7FFF,
                                                     0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, INT64_MAX, UINT64_MAX};
    const std::uint64_t number = kBorders[below(kBorders.size())];
    const std::size_t width = std::size_t{1} << below(4);
    const bool little = below(2) == 0;
    for (std::size_t i = 0; i < width && where + i < bytes.size(); ++i)
      bytes[where + i] = static_cast<std::uint8_t>(number >> (8 * (little ? i : width - 1 - i)));
  }

  // A part of another seed.
  void splice(Bytes &bytes, std::size_t where, std::size_t length) {
    const Bytes &other = seeds_[below(seeds_.size())];
    if (other.empty()) return;
    const std::size_t from = below(other.size()), end = std::min(other.size(), from + 4 * length);
    bytes.insert(at(bytes, where), other.begin() + static_cast<Bytes::difference_type>(from),
                 other.begin() + static_cast<Bytes::difference_type>(end));
  }

  const std::vector<Bytes> &seeds_;
  std::size_t longest_;
  std::mt19937_64 random_;
};

std::vector<Bytes> read_seeds(const char *folder) {
  std::vector<std::filesystem::path> files;
  for (const auto &entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());  // so that a number makes the same series everywhere
  std::vector<Bytes> out;
  for (const auto &file : files) {
    std::ifstream in(file, std::ios::binary);
    out.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return out;
}

// For a target to which any bytes are as good as others.
std::vector<Bytes> noise(std::size_t longest, std::uint64_t number) {
  std::mt19937_64 random(number);
  std::vector<Bytes> out(16);
  for (Bytes &bytes : out) {
    bytes.resize(static_cast<std::size_t>(random() % (longest + 1)));
    for (std::uint8_t &byte : bytes) byte = static_cast<std::uint8_t>(random());
  }
  return out;
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: %s SECONDS LONGEST SEEDS [NUMBER]\n", argv[0]);
    return 2;
  }
  const auto until = Clock::now() + std::chrono::seconds(std::strtoul(argv[1], nullptr, 10));
  const std::size_t longest = std::strtoul(argv[2], nullptr, 10);
  const std::uint64_t number = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : std::random_device{}();
  std::vector<Bytes> seeds = read_seeds(argv[3]);
  if (seeds.empty()) seeds = noise(longest, number);
#ifndef FERRY_SANITIZED  // a sanitizer maps terabytes of addresses
  const rlimit memory{kMostMemory, kMostMemory};
  setrlimit(RLIMIT_AS, &memory);
#endif
  catch_signals(argv[0]);
  std::printf("%zu seeds, number %llu\n", seeds.size(), static_cast<unsigned long long>(number));
  std::fflush(stdout);
  for (const Bytes &seed : seeds) run(seed);
  std::uint64_t inputs = seeds.size();
  for (Damage damage(seeds, longest, number); Clock::now() < until; ++inputs) run(damage.next());
  std::printf("%llu inputs\n", static_cast<unsigned long long>(inputs));
  return 0;
}
