// What happens on the wires to upstreams, for whoever watches.
#pragma once

#include <string_view>

namespace causeway::upstream {

enum class wire_event {
    connected,  ///< the connection takes questions
    lost,       ///< it does no more
    late_reply, ///< a reply came for which nobody waits: late, repeated, or unsolicited
};

/// Is told what happens beside requests and their replies. Belongs to one event loop; every call is made on its thread.
class wire_observer {
public:
    /// `detail` is why the connection was lost, or the key of the reply. Both texts are valid during the call only.
    virtual void note(wire_event what, std::string_view upstream, std::string_view detail) = 0;

protected:
    ~wire_observer() = default;
};

} // namespace causeway::upstream
