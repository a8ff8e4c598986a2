# SPDX-License-Identifier: Apache-2.0
# One way to declare a target of ours: the include root is the repository, warnings and sanitizers are the same everywhere.

add_library(ferry_build_flags INTERFACE)
target_include_directories(ferry_build_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_options(ferry_build_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Wcast-align -Wnull-dereference -Wformat=2 -Wimplicit-fallthrough
  $<$<BOOL:${FERRY_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False positives of g++ 12 and 13 inside libstdc++ at -O2 (GCC bugs 105651, 105593).
  target_compile_options(ferry_build_flags INTERFACE
    -Wno-null-dereference -Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds -Wno-missing-field-initializers)
else()
  target_compile_options(ferry_build_flags INTERFACE -Wno-missing-field-initializers)
endif()
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Several sources are one: g++ takes a type of one's anonymous namespace for one of a header.
  target_compile_options(ferry_build_flags INTERFACE -Wno-subobject-linkage)
endif()
# As Debian hardens what it gives out.
target_link_options(ferry_build_flags INTERFACE -Wl,-z,relro,-z,now)
if(FERRY_SANITIZE)
  target_compile_options(ferry_build_flags INTERFACE -fsanitize=${FERRY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(ferry_build_flags INTERFACE -fsanitize=${FERRY_SANITIZE})
  # A sanitizer maps terabytes of addresses: no limit on memory can be set.
  target_compile_definitions(ferry_build_flags INTERFACE FERRY_SANITIZED)
endif()
if(FERRY_FUZZ)
  # Coverage for libFuzzer in our libraries; each fuzz target links the fuzzer itself.
  target_compile_options(ferry_build_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# ferry_library(NAME SOURCES... [HOT] [DEPENDS targets of ours] [USES third-party targets, private])
# HOT: goes through the bytes of disks. People wait for a Release build before their first command, so everything else, which
# runs for milliseconds, is compiled in less time. -O3 gave HOT nothing: zlib, libdeflate, OpenSSL and memcmp do the work.
function(ferry_library name)
  cmake_parse_arguments(ARG "HOT" "" "SOURCES;DEPENDS;USES" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ferry_build_flags ${ARG_DEPENDS} PRIVATE ${ARG_USES})
  set(level -O1)
  if(ARG_HOT)
    set(level -O2)
  endif()
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:${level}>)
endfunction()
