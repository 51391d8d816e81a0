// How enumerators are spelled in a configuration. The first spelling of an enumerator is the one
// that is shown; the others are names that users bring along from elsewhere.
#pragma once

#include <array>
#include <string_view>

#include "config/options.h"
#include "obs/options.h"
#include "proxy/options.h"

namespace pgweir::config {

template <class Enum>
struct EnumName {
  std::string_view text;
  Enum value;
};

// clang 14 does not deduce this for an aggregate.
template <class Enum>
EnumName(const char*, Enum) -> EnumName<Enum>;

// One `kNames` for each enum that a setting can have.
template <class Enum>
struct EnumNames;

template <>
struct EnumNames<proxy::PoolMode> {
  static constexpr std::array kNames{
      EnumName{"session", proxy::PoolMode::Session},
      EnumName{"transaction", proxy::PoolMode::Transaction},
      EnumName{"statement", proxy::PoolMode::Statement},
  };
};

template <>
struct EnumNames<proxy::ErrorDetail> {
  static constexpr std::array kNames{
      EnumName{"full", proxy::ErrorDetail::Full},
      EnumName{"own", proxy::ErrorDetail::Own},
      EnumName{"none", proxy::ErrorDetail::None},
  };
};

template <>
struct EnumNames<proxy::SslMode> {
  static constexpr std::array kNames{
      EnumName{"disable", proxy::SslMode::Disable},
      EnumName{"allow", proxy::SslMode::Allow},
      EnumName{"prefer", proxy::SslMode::Prefer},
      EnumName{"require", proxy::SslMode::Require},
      EnumName{"verify-ca", proxy::SslMode::VerifyCa},
      EnumName{"verify-full", proxy::SslMode::VerifyFull},
      EnumName{"no-verify", proxy::SslMode::Require},  // node-postgres.
  };
};

template <>
struct EnumNames<proxy::SslAccept> {
  static constexpr std::array kNames{
      EnumName{"accept_invalid_certs", proxy::SslAccept::AcceptInvalidCerts},
      EnumName{"strict", proxy::SslAccept::Strict},
  };
};

template <>
struct EnumNames<proxy::TlsNegotiation> {
  static constexpr std::array kNames{
      EnumName{"postgres", proxy::TlsNegotiation::Postgres},
      EnumName{"direct", proxy::TlsNegotiation::Direct},
  };
};

template <>
struct EnumNames<proxy::TlsVersion> {
  static constexpr std::array kNames{
      EnumName{"TLSv1", proxy::TlsVersion::V1_0},   EnumName{"TLSv1.1", proxy::TlsVersion::V1_1},
      EnumName{"TLSv1.2", proxy::TlsVersion::V1_2}, EnumName{"TLSv1.3", proxy::TlsVersion::V1_3},
      EnumName{"TLSv1.0", proxy::TlsVersion::V1_0},
  };
};

template <>
struct EnumNames<proxy::ChannelBinding> {
  static constexpr std::array kNames{
      EnumName{"disable", proxy::ChannelBinding::Disable},
      EnumName{"prefer", proxy::ChannelBinding::Prefer},
      EnumName{"require", proxy::ChannelBinding::Require},
  };
};

template <>
struct EnumNames<proxy::TargetSession> {
  static constexpr std::array kNames{
      EnumName{"any", proxy::TargetSession::Any},
      EnumName{"read-write", proxy::TargetSession::ReadWrite},
      EnumName{"read-only", proxy::TargetSession::ReadOnly},
      EnumName{"primary", proxy::TargetSession::Primary},
      EnumName{"standby", proxy::TargetSession::Standby},
      EnumName{"prefer-standby", proxy::TargetSession::PreferStandby},
  };
};

template <>
struct EnumNames<proxy::LoadBalance> {
  static constexpr std::array kNames{
      EnumName{"disable", proxy::LoadBalance::Disable},
      EnumName{"random", proxy::LoadBalance::Random},
      EnumName{"round-robin", proxy::LoadBalance::RoundRobin},
  };
};

template <>
struct EnumNames<proxy::AuthMethod> {
  static constexpr std::array kNames{
      EnumName{"trust", proxy::AuthMethod::Trust},
      EnumName{"any", proxy::AuthMethod::Any},
      EnumName{"plain", proxy::AuthMethod::Cleartext},
      EnumName{"md5", proxy::AuthMethod::Md5},
      EnumName{"scram-sha-256", proxy::AuthMethod::ScramSha256},
      EnumName{"cert", proxy::AuthMethod::Cert},
  };
};

template <>
struct EnumNames<obs::Level> {
  static constexpr std::array kNames{
      EnumName{"error", obs::Level::Error},
      EnumName{"warning", obs::Level::Warning},
      EnumName{"info", obs::Level::Info},
      EnumName{"debug", obs::Level::Debug},
  };
};

}  // namespace pgweir::config
