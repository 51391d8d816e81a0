// Capacity: how many connections PostgreSQL could give to one pool if nobody else had any. A pool
// that may open more is set wrongly, whatever else goes on. Source of truth: budget/allowance.h.
#pragma once

#include <optional>
#include <string_view>

#include "budget/allowance.h"
#include "client/conversation.h"
#include "client/libpq.h"

namespace pgweir::client {

// The tightest of what the server, the role and the database are limited to. Nothing where the
// facts are a pooler's, which may lend one server to many, or cannot be.
std::optional<budget::Sum> compute_capacity(const budget::ServerFacts& facts, std::string_view role,
                                            std::string_view database);

// Asks for it: one round trip. Nothing where the server does not say. REQUIRES: the connection is
// idle. When patience ends it is of no more use.
std::optional<budget::Sum> ask_capacity(PGconn* connection, const Patience& patience);

}  // namespace pgweir::client
