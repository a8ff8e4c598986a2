// SPDX-License-Identifier: Apache-2.0
#include "cli/keep.hpp"

#include "cli/output.hpp"
#include "migration/kept_reports.hpp"

namespace ferry::cli {
namespace {

void say_that_it_failed(const Error &error) {
  ErrorDetail detail = error.detail();
  detail.message = "the report is not kept for 'virt-ferry report': " + detail.message;
  print_error(Error(error.kind(), std::move(detail)));
}

}  // namespace

void keep_reports(const report::Document &document) {
  try {
    migration::keep_reports(document);
  } catch (const Error &error) {
    say_that_it_failed(error);
  }
}

void keep_batch(report::Document &document) {
  try {
    migration::keep_batch(document.batch, document);
  } catch (const Error &error) {
    document.batch.clear();
    say_that_it_failed(error);
  }
}

}  // namespace ferry::cli
