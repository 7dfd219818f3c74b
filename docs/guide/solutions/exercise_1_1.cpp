// Exercise 1.1: a listener that does nothing when its session is no more.
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

struct event_emitter {
    void emit(const std::string& reply)
    {
        for (const auto& listener : std::exchange(listeners, {}))
            listener(reply);
    }

    std::vector<std::function<void(const std::string&)>> listeners;
};

// [session]
struct session : std::enable_shared_from_this<session> {
    explicit session(std::string& answered)
        : output(answered)
    {
    }

    // The listener knows whether its session is still there, and does not keep it.
    void ask(event_emitter& replies)
    {
        replies.listeners.emplace_back([weak = weak_from_this()](const std::string& reply) {
            if (const auto self = weak.lock())
                self->output += reply;
        });
    }

    std::string& output;
};
// [/session]

} // namespace

int main()
{
    event_emitter replies;
    std::string answered;
    const auto stays = std::make_shared<session>(answered);
    stays->ask(replies);
    {
        const auto leaves = std::make_shared<session>(answered);
        leaves->ask(replies);
    }
    replies.emit("404");
    return answered == "404" ? 0 : 1;
}
