// What asking an upstream can end in.
#pragma once

#include <boost/system/result.hpp>

#include <string>

namespace causeway::upstream {

/// Why a question has no reply, and how far its message had come.
struct failure {
    enum class reason {
        timed_out,       ///< the reply timeout passed first
        unavailable,     ///< no upstream has been reachable for longer than the reply timeout
        overloaded,      ///< too many requests wait already
        connection_lost, ///< its message was on a connection that was lost, and is not written again
        duplicate,       ///< its key is taken by another request
    };
    using enum reason;

    failure(reason why = timed_out, bool written = false) noexcept
        : why(why)
        , written(written)
    {
    }

    reason why;
    bool written; ///< the upstream may have seen the message

    friend bool operator==(const failure&, const failure&) = default;
};

/// The bytes of the reply as they came, or why there is none.
using outcome = boost::system::result<std::string, failure>;

} // namespace causeway::upstream
