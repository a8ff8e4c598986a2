// SPDX-License-Identifier: Apache-2.0
// Debian's libxml2 asks ICU, whose tables take 30 MB, for encodings that iconv(3) does not know. The portable program
// has the C library's iconv alone: here stands an ICU that knows no encoding.
#include <unicode/ucnv.h>
#include <unicode/ucnv_err.h>

UConverter *ucnv_open(const char * /*name*/, UErrorCode *error) {
  *error = U_FILE_ACCESS_ERROR;
  return nullptr;
}

void ucnv_close(UConverter * /*converter*/) {}

void ucnv_convertEx(UConverter * /*to*/, UConverter * /*from*/, char ** /*target*/, const char * /*target_end*/,
                    const char ** /*source*/, const char * /*source_end*/, UChar * /*pivot*/, UChar ** /*pivot_from*/,
                    UChar ** /*pivot_to*/, const UChar * /*pivot_end*/, UBool /*reset*/, UBool /*flush*/,
                    UErrorCode *error) {
  *error = U_UNSUPPORTED_ERROR;
}

void ucnv_setToUCallBack(UConverter * /*converter*/, UConverterToUCallback /*to*/, const void * /*context*/,
                         UConverterToUCallback * /*old*/, const void ** /*old_context*/, UErrorCode *error) {
  *error = U_UNSUPPORTED_ERROR;
}

void ucnv_setFromUCallBack(UConverter * /*converter*/, UConverterFromUCallback /*to*/, const void * /*context*/,
                           UConverterFromUCallback * /*old*/, const void ** /*old_context*/, UErrorCode *error) {
  *error = U_UNSUPPORTED_ERROR;
}

void UCNV_FROM_U_CALLBACK_STOP(const void * /*context*/, UConverterFromUnicodeArgs * /*arguments*/,
                               const UChar * /*units*/, int32_t /*length*/, UChar32 /*point*/,
                               UConverterCallbackReason /*reason*/, UErrorCode * /*error*/) {}

void UCNV_TO_U_CALLBACK_STOP(const void * /*context*/, UConverterToUnicodeArgs * /*arguments*/, const char * /*units*/,
                             int32_t /*length*/, UConverterCallbackReason /*reason*/, UErrorCode * /*error*/) {}
