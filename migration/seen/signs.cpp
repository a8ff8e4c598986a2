// SPDX-License-Identifier: Apache-2.0
// The words: SeaBIOS 1.16 boot.c, edk2 BdsDxe and ShellPkg, iPXE, GRUB 2.06 (normal, rescue), initramfs-tools
// functions, dracut 059 and systemd's emergency.service, Linux kernel/panic.c, FreeBSD's vfs_mountroot.c, Windows' boot
// manager and bug check screens.
#include "migration/seen/signs.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>

#include "model/json.hpp"

#include "support/text.hpp"

namespace ferry::migration {
namespace {

constexpr std::size_t kRecent = 40;  // lines: a message further up is of an earlier time

enum class Where { last_line, recent };

struct Rule {
  std::string_view id;
  Where where;
  std::string_view text;  // lower case; of a last line: how it begins
  std::string_view words;
};

constexpr auto kRules = std::to_array<Rule>({
    {"uefi-shell", Where::last_line, "shell>", "the UEFI shell: the firmware has found nothing to boot"},
    {"uefi-shell", Where::recent, "uefi interactive shell", "the UEFI shell: the firmware has found nothing to boot"},
    {"grub-rescue", Where::last_line, "grub rescue>", "GRUB's rescue prompt: it does not find its own files"},
    {"grub-prompt", Where::last_line, "grub>", "GRUB's prompt: it has no menu to boot from"},
    {"initramfs-shell", Where::last_line, "(initramfs)", "the initramfs' shell: the root file system was not found"},
    {"dracut-shell", Where::last_line, "dracut:/#", "dracut's emergency shell: the root file system was not found"},
    {"mountroot", Where::last_line, "mountroot>", "FreeBSD's mountroot prompt: the root file system was not found"},
    {"kernel-panic", Where::recent, "kernel panic - not syncing", "a kernel panic"},
    {"emergency-mode", Where::recent, "you are in emergency mode",
     "systemd's emergency mode: a unit that it needs has failed"},
    {"dracut-shell", Where::recent, "rdsosreport.txt", "dracut's emergency shell: the root file system was not found"},
    {"initramfs-shell", Where::recent, "gave up waiting for root",
     "the initramfs' shell: the root file system was not found"},
    {"bitlocker-recovery", Where::recent, "bitlocker recovery", "BitLocker asks for the recovery key"},
    {"bitlocker-recovery", Where::recent, "enter the recovery key", "BitLocker asks for the recovery key"},
    {"windows-stop", Where::recent, "*** stop:", "a Windows stop screen"},
    {"windows-stop", Where::recent, "a problem has been detected and windows has been shut down",
     "a Windows stop screen"},
    {"windows-stop", Where::recent, "ran into a problem", "a Windows stop screen"},
    {"windows-boot", Where::recent, "windows failed to start", "Windows' boot manager: it cannot start Windows"},
    {"windows-boot", Where::recent, "status: 0xc", "Windows' boot manager: it cannot start Windows"},
    {"windows-boot", Where::recent, "needs to be repaired", "Windows' boot manager: it cannot start Windows"},
    {"windows-boot", Where::recent, "bootmgr is missing", "Windows' boot sector: there is no boot manager"},
    {"windows-boot", Where::recent, "ntldr is missing", "Windows' boot sector: there is no boot loader"},
    {"no-bootable-device", Where::recent, "no bootable device", "the firmware has found nothing to boot"},
    {"no-bootable-device", Where::recent, "no bootable option or device was found",
     "the firmware has found nothing to boot"},
    {"no-bootable-device", Where::recent, "no bootable medium found", "the firmware has found nothing to boot"},
    {"no-system", Where::recent, "missing operating system", "the boot sector finds no system"},
    {"no-system", Where::recent, "operating system not found", "the boot sector finds no system"},
    {"no-system", Where::recent, "error loading operating system", "the boot sector finds no system"},
});

// "debian login:", as every Unix asks.
bool is_login(const std::string &line) {
  return line.ends_with("login:") && line.size() > 6 && line.find("last login") == std::string::npos;
}

// "0x0000007B", "0xc000000e": what Windows says beside its words.
std::string code_in(const std::vector<std::string> &lines) {
  static const std::regex kCode("0x[0-9a-f]{8}", std::regex::icase);
  static const std::regex kNamed("(?:stop: |status: |error code: )(0x[0-9a-f]{8})", std::regex::icase);
  std::smatch found;
  for (const std::string &line : lines)
    if (std::regex_search(line, found, kNamed)) return found[1];
  for (const std::string &line : lines)
    if (std::regex_search(line, found, kCode)) return found[0];
  return {};
}

// Those that a machine which has moved may end with, as Microsoft's "Bug check code reference" names them.
std::string name_of_stop(const std::string &code) {
  struct Row {
    std::uint64_t code;
    const char *name;
  };
  constexpr std::array kNames{Row{0x0A, "IRQL_NOT_LESS_OR_EQUAL"},
                              Row{0x1E, "KMODE_EXCEPTION_NOT_HANDLED"},
                              Row{0x24, "NTFS_FILE_SYSTEM"},
                              Row{0x3E, "MULTIPROCESSOR_CONFIGURATION_NOT_SUPPORTED"},
                              Row{0x50, "PAGE_FAULT_IN_NONPAGED_AREA"},
                              Row{0x5C, "HAL_INITIALIZATION_FAILED"},
                              Row{0x5D, "UNSUPPORTED_PROCESSOR"},
                              Row{0x6B, "PROCESS1_INITIALIZATION_FAILED"},
                              Row{0x74, "BAD_SYSTEM_CONFIG_INFO"},
                              Row{0x7B, "INACCESSIBLE_BOOT_DEVICE"},
                              Row{0x7E, "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED"},
                              Row{0xA5, "ACPI_BIOS_ERROR"},
                              Row{0xD1, "DRIVER_IRQL_NOT_LESS_OR_EQUAL"},
                              Row{0xED, "UNMOUNTABLE_BOOT_VOLUME"},
                              Row{0x101, "CLOCK_WATCHDOG_TIMEOUT"},
                              Row{0x133, "DPC_WATCHDOG_VIOLATION"},
                              Row{0xC000021A, "STATUS_SYSTEM_PROCESS_TERMINATED"}};
  std::uint64_t number = 0;
  for (std::size_t i = 2; i < code.size(); ++i) number = number << 4U | text::hex_digit(code[i]).value_or(0);
  for (const Row &row : kNames)
    if (row.code == number) return std::string(" (") + row.name + ")";
  return {};
}

Sign sign_of(const Rule &rule, const std::string &line, const std::vector<std::string> &lines) {
  Sign out{.booted = false, .id = std::string(rule.id), .words = std::string(rule.words), .line = line};
  if (rule.id.starts_with("windows"))
    if (const std::string code = code_in(lines); !code.empty())
      out.words += ", " + code + (rule.id == "windows-stop" ? name_of_stop(code) : "");
  return out;
}

// ---- stop screens ----

bool is_near(const Colour &a, const Colour &b) {
  constexpr int kMost = 24;  // of 255, in each channel: gradients and what a display driver makes of a colour
  const auto differs = [](std::uint8_t left, std::uint8_t right) { return std::abs(int{left} - int{right}) > kMost; };
  return !differs(a.red, b.red) && !differs(a.green, b.green) && !differs(a.blue, b.blue);
}

struct Blot {  // of one piece, in dots
  std::size_t left = 0, top = 0, right = 0, bottom = 0, size = 0;
  [[nodiscard]] std::size_t width() const { return right - left + 1; }
  [[nodiscard]] std::size_t height() const { return bottom - top + 1; }
};

// The pieces that differ from the background, in the part of the picture where the face stands.
std::vector<Blot> blots_of(const Picture &picture, const Colour &background) {
  const std::size_t width = picture.width / 2, height = picture.height / 2;
  std::vector<bool> done(width * height);
  const auto is_ink = [&](std::size_t x, std::size_t y) { return !is_near(picture.at(x, y), background); };
  std::vector<Blot> out;
  std::vector<std::size_t> open;
  for (std::size_t start = 0; start < done.size(); ++start) {
    if (done[start] || !is_ink(start % width, start / width)) continue;
    Blot blot{.left = width, .top = height};
    done[start] = true;
    open.push_back(start);
    while (!open.empty()) {
      const std::size_t at = open.back(), x = at % width, y = at / width;
      open.pop_back();
      blot = {std::min(blot.left, x), std::min(blot.top, y), std::max(blot.right, x), std::max(blot.bottom, y),
              blot.size + 1};
      const auto visit = [&](std::size_t nx, std::size_t ny) {
        if (nx >= width || ny >= height || done[ny * width + nx] || !is_ink(nx, ny)) return;
        done[ny * width + nx] = true;
        open.push_back(ny * width + nx);
      };
      visit(x + 1, y);
      visit(x, y + 1);
      visit(x - 1, y);  // beyond the edge it is too large to be inside
      visit(x, y - 1);
    }
    out.push_back(blot);
  }
  return out;
}

bool is_dot(const Blot &blot) {
  return blot.width() * 2 > blot.height() && blot.height() * 2 > blot.width() &&
         blot.size * 10 > blot.width() * blot.height() * 6;
}

// Two dots, one above the other, and behind them a stroke that is higher than both.
bool is_face(const Blot &upper, const Blot &lower, const Blot &bracket) {
  const std::size_t eyes = lower.bottom - upper.top + 1;
  const bool aligned = upper.left <= lower.right && lower.left <= upper.right && lower.top > upper.bottom;
  const bool alike = upper.width() < lower.width() * 2 && lower.width() < upper.width() * 2;
  const bool beside = bracket.left > upper.right && bracket.left - upper.right < eyes * 2;
  const bool higher = bracket.top <= upper.top && bracket.bottom >= lower.bottom && bracket.height() < eyes * 4;
  return aligned && alike && beside && higher && bracket.width() * 3 < bracket.height() * 2;
}

Colour most_common(const Picture &picture) {
  std::vector<std::size_t> count(std::size_t{1} << 12U);  // four bits a channel
  const auto key = [](const Colour &colour) {
    return static_cast<std::size_t>(colour.red >> 4U) << 8U | static_cast<std::size_t>(colour.green >> 4U) << 4U |
           colour.blue >> 4U;
  };
  for (const Colour &dot : picture.pixels) ++count[key(dot)];
  const auto most = static_cast<std::size_t>(std::max_element(count.begin(), count.end()) - count.begin());
  const auto found =
      std::find_if(picture.pixels.begin(), picture.pixels.end(), [&](const Colour &dot) { return key(dot) == most; });
  return found == picture.pixels.end() ? Colour() : *found;
}

// ---- the agent ----

Json returned(const std::string &answer) {
  const Json whole = Json::parse(answer, nullptr, false);
  if (!whole.is_object() || !whole.contains("return")) return {};
  return whole["return"];
}

std::string text_of(const Json &object, const char *key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_string()) return {};
  return text::excerpt(object[key].get<std::string>(), 200);
}

void add_addresses(const Json &card, std::vector<std::string> &out) {
  constexpr std::size_t kMost = 32;  // in all
  if (!card.is_object() || !card.contains("ip-addresses") || !card["ip-addresses"].is_array()) return;
  for (const Json &one : card["ip-addresses"]) {
    const std::string address = text_of(one, "ip-address");
    if (address.empty() || address == "::1" || address.starts_with("127.") || out.size() >= kMost) continue;
    out.push_back(text_of(card, "name") + " " + address);
  }
}

}  // namespace

std::optional<Sign> sign_in(const std::vector<std::string> &lines) {
  std::vector<std::string> said;
  for (const std::string &line : lines) {
    std::string lower = text::lower_ascii(text::trim(line));
    if (!lower.empty()) said.push_back(std::move(lower));
  }
  if (said.empty()) return std::nullopt;
  if (said.size() > kRecent) said.erase(said.begin(), said.end() - static_cast<std::ptrdiff_t>(kRecent));
  const std::string &last = said.back();
  if (is_login(last)) return Sign{.booted = true, .id = "login", .words = "a login prompt", .line = last};
  for (const Rule &rule : kRules)
    if (rule.where == Where::last_line && last.starts_with(rule.text)) return sign_of(rule, last, said);
  for (const Rule &rule : kRules) {
    if (rule.where != Where::recent) continue;
    const auto found = std::find_if(said.rbegin(), said.rend(),
                                    [&](const std::string &line) { return line.find(rule.text) != std::string::npos; });
    if (found != said.rend()) return sign_of(rule, *found, said);
  }
  return std::nullopt;
}

std::vector<std::string> console_lines(std::string_view bytes, std::size_t most) {
  std::vector<std::string> out(1);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (c == '\n') {
      out.emplace_back();
    } else if (c == '\x1B' && i + 1 < bytes.size() && bytes[i + 1] == '[') {
      // Up to the letter that ends it; what moves the cursor to another line ends this one.
      for (i += 2; i < bytes.size() && (bytes[i] < '@' || bytes[i] > '~');) ++i;
      if (i < bytes.size() && (bytes[i] == 'H' || bytes[i] == 'J') && !out.back().empty()) out.emplace_back();
    } else if (static_cast<unsigned char>(c) >= ' ') {
      out.back() += c;
    }
  }
  std::erase_if(out, [](const std::string &line) { return text::trim(line).empty(); });
  if (out.size() > most) out.erase(out.begin(), out.end() - static_cast<std::ptrdiff_t>(most));
  return out;
}

std::optional<Sign> sign_in(const Picture &picture) {
  constexpr std::size_t kLeastOfScreen = 80;  // percent of the screen in one colour
  constexpr std::size_t kLeastOfHeight = 40;  // the face is at least a fortieth of the screen high
  constexpr std::size_t kMostBlots = 200;     // of that size; a face stands among few
  const Colour background = most_common(picture);
  const auto same = static_cast<std::size_t>(std::count_if(
      picture.pixels.begin(), picture.pixels.end(), [&](const Colour &dot) { return is_near(dot, background); }));
  if (picture.pixels.empty() || same * 100 < picture.pixels.size() * kLeastOfScreen) return std::nullopt;
  std::vector<Blot> blots = blots_of(picture, background), dots;
  std::erase_if(blots, [](const Blot &blot) { return blot.size < 16; });
  if (blots.size() > kMostBlots) return std::nullopt;
  std::copy_if(blots.begin(), blots.end(), std::back_inserter(dots), is_dot);
  for (const Blot &upper : dots) {
    for (const Blot &lower : dots) {
      if (lower.top <= upper.bottom || (lower.bottom - upper.top) * kLeastOfHeight < picture.height) continue;
      const bool face =
          std::any_of(blots.begin(), blots.end(), [&](const Blot &bracket) { return is_face(upper, lower, bracket); });
      if (face)
        return Sign{.booted = false, .id = "windows-stop", .words = "a Windows stop screen, by its shape", .line = {}};
    }
  }
  return std::nullopt;
}

std::optional<Sign> sign_of_crash(const std::string &note) {
  static const std::regex kStop("hyper-v: arg1='0x([0-9a-f]{1,8})'", std::regex::icase);
  std::smatch found;
  if (!std::regex_search(note, found, kStop)) return std::nullopt;
  std::string digits = text::lower_ascii(found[1].str());
  const std::string code = "0x" + std::string(8 - digits.size(), '0') + digits;
  return Sign{.booted = false,
              .id = "windows-stop",
              .words = "a Windows stop screen, " + code + name_of_stop(code),
              .line = note};
}

GuestFacts facts_of(const AgentAnswers &answers) {
  GuestFacts out;
  out.host_name = text_of(returned(answers.host_name), "host-name");
  const Json os = returned(answers.os);
  out.os = text_of(os, "pretty-name");
  if (out.os.empty()) out.os = text_of(os, "name");
  if (const std::string kernel = text_of(os, "kernel-release"); !kernel.empty())
    out.os += (out.os.empty() ? "" : ", ") + kernel;
  const Json cards = returned(answers.interfaces);
  if (cards.is_array()) {
    for (const Json &card : cards) add_addresses(card, out.addresses);
  }
  return out;
}

}  // namespace ferry::migration
