// What asking the upstream can end in.
#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>

#include <stdexcept>
#include <string>

namespace causeway::upstream {

/// Why a question has no reply.
enum class failure {
    timed_out,   ///< the reply timeout passed first
    unavailable, ///< no upstream has been reachable for longer than the reply timeout
    overloaded,  ///< too many requests wait already
};

/// The reply line as it came, its line feed included, or why there is none.
using answer = boost::system::result<std::string, failure>;

/// What Boost calls when an answer is asked for a reply that it does not have; its `operator*` asks too from 1.92 on.
[[noreturn]] inline void throw_exception_from_error(failure /*error*/, const boost::source_location& /*place*/)
{
    throw std::logic_error("an answer without a reply was taken for one with a reply");
}

} // namespace causeway::upstream
