// What has happened on the HTTP side.
#pragma once

#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace causeway::http {

/// Counts since the start. A server's own belong to its event loop; a copy, to whoever has it.
struct statistics {
    /// A status has three digits (RFC 9110 §15); one that has more is not counted.
    static constexpr std::size_t statuses = 1000;

    std::uint64_t accepted = 0;           ///< connections
    std::uint64_t accept_failures = 0;    ///< failed attempts to accept one, for example because of too many open files
    std::uint64_t session_failures = 0;   ///< connections ended by an exception
    std::uint64_t request_failures = 0;   ///< requests whose handler threw
    std::uint64_t handshake_failures = 0; ///< connections without a completed TLS handshake
    std::array<std::uint64_t, statuses> responses{}; ///< by status, without 100

    /// Counts a response.
    void count(boost::beast::http::status status) noexcept
    {
        if (const auto number = static_cast<std::size_t>(status); number < statuses)
            ++responses[number];
    }

    /// Adds what another server has counted.
    statistics& operator+=(const statistics& other) noexcept
    {
        accepted += other.accepted;
        accept_failures += other.accept_failures;
        session_failures += other.session_failures;
        request_failures += other.request_failures;
        handshake_failures += other.handshake_failures;
        std::ranges::transform(responses, other.responses, responses.begin(), std::plus<>());
        return *this;
    }
};

} // namespace causeway::http
