#include "backend.hpp"

#include "../integration/process.hpp"

namespace causeway::guide {

backend::question backend::next()
{
    test::wait_until([this] { return was_asked(); });
    auto first = questions_.front();
    questions_.pop_front();
    return first;
}

bool backend::was_asked()
{
    take_in();
    return !questions_.empty();
}

void backend::reply(const question& asked, std::string_view bytes)
{
    peers_.at(asked.connection).connection.send(bytes);
}

std::size_t backend::opened()
{
    take_in();
    return peers_.size();
}

bool backend::has_ended(std::size_t connection)
{
    take_in();
    return peers_.at(connection).has_ended;
}

void backend::close(std::size_t connection)
{
    auto& closed = peers_.at(connection);
    closed.has_ended = true;
    closed.connection.close();
}

// All that has come meanwhile.
void backend::take_in()
{
    while (listener_.can_accept())
        peers_.push_back({listener_.accept()});
    for (std::size_t i = 0; i != peers_.size(); ++i) {
        auto& [connection, has_ended] = peers_[i];
        while (!has_ended && connection.can_receive()) {
            const auto line = connection.receive_line();
            if (line.ends_with('\n'))
                questions_.push_back({line.substr(0, line.size() - 1), i});
            else
                has_ended = true;
        }
    }
}

} // namespace causeway::guide
