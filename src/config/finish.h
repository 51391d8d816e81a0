// The last step from drafts to options: what several settings mean only together, and what they
// must not say together. libpq's and Prisma's rules for TLS are here.
#pragma once

#include <string_view>

#include "config/draft.h"
#include "config/report.h"

namespace pgweir::config {

struct DatabaseContext {
  const Place& place;             // Of the entry.
  const Origins& origins;         // Of its settings.
  std::string_view host_default;  // Where an entry without a host is; empty: that is a mistake.
};

// Settles hosts, TLS and sizes.
void finish_database(DatabaseDraft& draft, const DatabaseContext& context, Report& report);

// Settles what is about all databases and listeners. REQUIRES: the databases are in.
void finish_process(ProcessDraft& draft, Report& report);

// tls_rules.cc: what is verified, and with which certificates, for all spellings of the wish.
void settle_tls(DatabaseDraft& draft, const DatabaseContext& context, Report& report);

}  // namespace pgweir::config
