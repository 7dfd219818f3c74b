// What the emulated payment host answers to a message. Pure; any thread may call it.
#pragma once

#include "protocols/iso8583/message.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace causeway::backend {

// Amounts (field 4) for which a payment request gets a special answer, in the smallest unit of any currency.
inline constexpr std::uint64_t slow_amount = 68;             ///< approved, after `slow_answer`
inline constexpr std::uint64_t silent_amount = 91;           ///< never answered
inline constexpr std::uint64_t smallest_declined = 100'000;  ///< this and larger amounts are declined
inline constexpr auto slow_answer = std::chrono::seconds(3); ///< how long a slow answer takes

/// What it does.
struct decision {
    std::optional<iso8583::message> answer; ///< nothing: no answer
    std::chrono::nanoseconds after{};       ///< how long the answer takes
};

/// The answer to a message. The host keeps no accounts and remembers nothing, so a repeat is answered like its
/// original, and a client that has not signed on like one that has:
///
/// - Payment requests, 0100 and 0200, by their amount. An approval has an approval code, which is the trace
///   number.
/// - Advices of payments, 0120 and 0220, and reversals, 0400 and 0420, are approved: they report what has already been
///   done.
/// - Network management, 0800, is approved when it is a sign-on, a sign-off or an echo test (70 = 001, 002, 301).
/// - Other messages that ask for a reply get response code 40, function not supported.
/// - All others are replies and get no answer.
///
/// The version of an MTI stays, its last digit becomes 0. An answer repeats those fields of its message that belong
/// into an answer, and no card data.
decision decide(const iso8583::message& message);

} // namespace causeway::backend
