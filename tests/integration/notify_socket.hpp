// systemd's part in its notify protocol, for the tests.
#pragma once

#include "blocking.hpp"

#include "../temporary.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace causeway::test {

/// Receives what a started program reports (sd_notify(3)). Nothing blocks for longer than `patience`; failures throw.
class notify_socket {
public:
    /// At a path, or with an abstract name, without a file (unix(7)).
    explicit notify_socket(bool is_abstract = false);

    /// What the program finds in NOTIFY_SOCKET.
    const std::string& name() const noexcept { return name_; }

    /// The next message that begins with `STATUS=`, and the next one that does not.
    std::string receive_status();
    std::string receive_state();

    /// The next status that contains `text`.
    std::string wait_for_status(std::string_view text);

    /// The state that has already arrived, if any has.
    std::optional<std::string> state_at_hand();

    /// From now on there is no room for a message, until one is received.
    void fill();

private:
    std::string wait_for(const std::function<bool(std::string_view message)>& wanted);
    std::optional<std::string> receive_with(int flags);

    temporary_directory directory_;
    std::string name_;
    descriptor socket_;
};

} // namespace causeway::test
