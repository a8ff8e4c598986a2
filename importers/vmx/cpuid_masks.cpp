// SPDX-License-Identifier: Apache-2.0
// cpuid.LEAF.REG = "----:----:----:----:----:----:--0-:----": one character per bit, from bit 31 down. 0 and 1
// force a bit, all others leave it to the host or to vMotion's rules. Bit names: Intel's and AMD's manuals, in
// libvirt's spelling.
#include <array>

#include "importers/vmx/reader.hpp"

#include "support/text.hpp"

namespace ferry::vmx {
namespace {

using Bits = std::array<std::string_view, 32>;

struct Register {
  std::string_view key;  // lower case
  Bits bits;
};

constexpr std::array<Register, 6> kRegisters{
    {{"cpuid.1.ecx", {"pni",     "pclmuldq", "dtes64", "monitor", "ds_cpl",    "vmx",    "smx",          "est", "tm2",
                      "ssse3",   "cid",      "",       "fma",     "cx16",      "xtpr",   "pdcm",         "",    "pcid",
                      "dca",     "sse4.1",   "sse4.2", "x2apic",  "movbe",     "popcnt", "tsc-deadline", "aes", "xsave",
                      "osxsave", "avx",      "f16c",   "rdrand",  "hypervisor"}},
     {"cpuid.1.edx", {"fpu",  "vme",  "de",   "pse", "tsc",  "msr", "pae",   "mce", "cx8",     "apic", "",
                      "sep",  "mtrr", "pge",  "mca", "cmov", "pat", "pse36", "pn",  "clflush", "",     "ds",
                      "acpi", "mmx",  "fxsr", "sse", "sse2", "ss",  "ht",    "tm",  "ia64",    "pbe"}},
     {"cpuid.7.ebx",
      {"fsgsbase", "tsc_adjust", "sgx",      "bmi1",     "hle",      "avx2",       "",         "smep",
       "bmi2",     "erms",       "invpcid",  "rtm",      "cmt",      "",           "mpx",      "",
       "avx512f",  "avx512dq",   "rdseed",   "adx",      "smap",     "avx512ifma", "",         "clflushopt",
       "clwb",     "intel-pt",   "avx512pf", "avx512er", "avx512cd", "sha-ni",     "avx512bw", "avx512vl"}},
     {"cpuid.80000001.ecx",
      {"lahf_lm",       "cmp_legacy", "svm", "extapic",    "cr8legacy", "abm", "sse4a",   "misalignsse",
       "3dnowprefetch", "osvw",       "ibs", "xop",        "skinit",    "wdt", "",        "lwp",
       "fma4",          "tce",        "",    "nodeid_msr", "",          "tbm", "topoext", "perfctr_core",
       "perfctr_nb",    "",           "",    "",           "",          "",    "",        ""}},
     {"cpuid.80000001.edx",
      {"", "", "", "", "",   "", "",       "", "", "",         "",        "syscall", "", "",   "",         "",
       "", "", "", "", "nx", "", "mmxext", "", "", "fxsr_opt", "pdpe1gb", "rdtscp",  "", "lm", "3dnowext", "3dnow"}},
     {"cpuid.80000007.edx", {"", "", "", "", "", "", "", "", "invtsc"}}}};

// Bits 31..0 as characters; empty when the text is no mask.
std::string flatten(std::string_view mask) {
  std::string out;
  for (const char c : mask) {
    if (c != ':' && c != ' ') out += c;
  }
  return out.size() == 32 ? out : std::string();
}

// Adds the forced bits of one mask; false when there is a forced bit without a name.
bool apply(const std::string &mask, const Bits &names, Cpu &cpu) {
  bool all = true;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] != '0' && mask[i] != '1') continue;
    const std::string_view name = names[31 - i];
    all = all && (!name.empty() || mask[i] == '0');
    if (name.empty()) continue;
    cpu.features.push_back({std::string(name), mask[i] == '1'});
    if (name == "lm") cpu.long_mode = mask[i] == '1';
    if (name == "pae") cpu.pae = mask[i] == '1';
    if (name == "apic") cpu.apic = mask[i] == '1';
    if (name == "x2apic") cpu.x2apic = mask[i] == '1';
  }
  return all;
}

}  // namespace

void read_cpuid_masks(Reader &reader, Cpu &cpu) {
  Settings &settings = reader.settings;
  for (const Register &known : kRegisters) {
    const std::string *value = settings.peek(known.key);
    if (value == nullptr) continue;
    const std::string mask = flatten(*value);
    if (mask.empty()) continue;  // the rest of the family is settled below
    static_cast<void>(settings.text(known.key, reader.field("cpu.features")));
    if (!apply(mask, known.bits, cpu)) {
      settings.settle(known.key, Disposition::dropped,
                      "forces CPU bits that libvirt has no name for; check software that depends on them");
    }
  }
  for (const std::string &key : settings.keys_with("cpuid.")) {
    // cpuid.<hex leaf>[.<reg>][.amd|.intel] and cpuid.numSMT and the like.
    const bool leaf = key.size() > 6 && std::string_view("0123456789abcdef").find(key[6]) != std::string_view::npos;
    if (!leaf || key == "cpuid.corespersocket") continue;
    bool taken = false;
    for (const Register &known : kRegisters)
      taken = taken || (known.key == key && !flatten(*settings.peek(key)).empty());
    if (!taken) {
      settings.settle(key, Disposition::dropped,
                      "a CPUID mask for this leaf or vendor cannot be expressed; choose a CPU model in its place");
    }
  }
}

}  // namespace ferry::vmx
