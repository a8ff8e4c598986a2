// SPDX-License-Identifier: Apache-2.0
// A UEFI program of our own: it says one line on COM1 and ends QEMU with a status, and needs no tool chain.
#pragma once

#include <string_view>

#include "tests/firmware/builder.hpp"

namespace ferry::firmware::testing {

// x86-64, position independent. The status goes to QEMU's isa-debug-exit at port 0xf4: QEMU exits with 2 * status + 1.
inline Bytes efi_code(std::string_view text, std::uint8_t status) {
  Bytes code = {
      0x48, 0x8D, 0x35, 0x29, 0,    0,      0,     //       lea rsi, [rip + text]
      0xAC,                                        // next: lodsb
      0x84, 0xC0,                                  //       test al, al
      0x74, 0x14,                                  //       jz end
      0x88, 0xC4,                                  //       mov ah, al
      0x66, 0xBA, 0xFD, 0x03,                      //       mov dx, 0x3fd (line status)
      0xEC,                                        // wait: in al, dx
      0xA8, 0x20,                                  //       test al, 0x20 (transmitter empty)
      0x74, 0xFB,                                  //       jz wait
      0x88, 0xE0,                                  //       mov al, ah
      0x66, 0xBA, 0xF8, 0x03,                      //       mov dx, 0x3f8
      0xEE,                                        //       out dx, al
      0xEB, 0xE7,                                  //       jmp next
      0x66, 0xBA, 0xF4, 0x00, 0xB0, status,        // end:  mov dx, 0xf4; mov al, status
      0xEE,                                        //       out dx, al
      0xEB, 0xFE,                                  //       jmp $
      0xCC, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC,   0xCC,  //       padding up to the text
  };
  put(code, bytes(text));
  put(code, bytes("\r\n"));
  put(code, 0, 1);
  // The displacement counts from the end of the first instruction.
  set(code, 3, code.size() - (text.size() + 3) - 7, 4);
  return code;
}

// PE32+ for EFI applications with one section: the smallest that EDK2's loader takes.
inline Bytes efi_program(std::string_view text, std::uint8_t status) {
  const Bytes code = efi_code(text, status);
  Bytes out = bytes("MZ");
  out.resize(0x3C, 0);
  put(out, 0x40, 4);
  put(out, bytes("PE"));
  put(out, 0, 2);
  put(out, 0x8664, 2);  // machine
  put(out, 1, 2);       // sections
  put(out, 0, 12);
  put(out, 0xF0, 2);    // size of the optional header
  put(out, 0x0022, 2);  // executable, large addresses; not "relocations stripped"
  put(out, 0x020B, 2);
  put(out, 0, 2);
  put(out, 0x200, 4);  // size of code
  put(out, 0, 8);
  put(out, 0x1000, 4);  // entry
  put(out, 0x1000, 4);  // base of code
  put(out, 0, 8);       // image base
  put(out, 0x1000, 4);  // section alignment
  put(out, 0x200, 4);   // file alignment
  put(out, 0, 16);      // versions
  put(out, 0x2000, 4);  // size of image
  put(out, 0x200, 4);   // size of headers
  put(out, 0, 4);
  put(out, 10, 2);  // subsystem: EFI application
  put(out, 0, 2);
  out.resize(out.size() + 32 + 4, 0);  // stack and heap sizes, loader flags
  put(out, 16, 4);                     // data directories, all empty
  out.resize(out.size() + 16 * 8, 0);
  put(out, bytes(".text"));
  put(out, 0, 3);
  put(out, code.size(), 4);
  put(out, 0x1000, 4);
  put(out, 0x200, 4);  // size in the file
  put(out, 0x200, 4);  // offset in the file
  put(out, 0, 12);
  put(out, 0x60000020, 4);  // code, execute, read
  EXPECT_LE(out.size(), 0x200U);
  out.resize(0x200, 0);
  put(out, code);
  EXPECT_LE(out.size(), 0x400U);
  out.resize(0x400, 0);
  return out;
}

}  // namespace ferry::firmware::testing
