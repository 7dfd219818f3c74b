// What asking the upstream can end in.
#pragma once

#include <boost/system/result.hpp>

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

} // namespace causeway::upstream
