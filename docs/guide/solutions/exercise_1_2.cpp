// Exercise 1.2: a reply calls one listener, and what no longer listens is not called.
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <utility>

namespace {

// [emitter]
class event_emitter {
public:
    using callback = std::function<void(const std::string& reply)>;

    // Listens for one reply, until its own end at the latest.
    class subscription {
    public:
        subscription(event_emitter& emitter, callback called)
            : emitter_(emitter)
            , called_(std::move(called))
        {
            emitter_.waiting_.push_back(this);
        }
        ~subscription() { emitter_.waiting_.remove(this); }
        subscription(const subscription&) = delete;
        subscription& operator=(const subscription&) = delete;

    private:
        friend event_emitter;
        event_emitter& emitter_;
        callback called_;
    };

    // Calls the listener that has waited longest; false when none waits.
    bool emit(const std::string& reply)
    {
        if (waiting_.empty())
            return false;
        auto* const longest_waiting = waiting_.front();
        waiting_.pop_front();
        longest_waiting->called_(reply);
        return true;
    }

private:
    std::list<subscription*> waiting_;
};
// [/emitter]

} // namespace

int main()
{
    event_emitter replies;
    std::string answered;
    std::optional<event_emitter::subscription> leaves;
    leaves.emplace(replies, [&](const std::string&) { answered += "gone "; });
    const event_emitter::subscription first(replies, [&](const std::string& reply) { answered += "first " + reply; });
    const event_emitter::subscription second(replies, [&](const std::string& reply) { answered += "second " + reply; });
    leaves.reset();
    const bool is_right = replies.emit("one ") && replies.emit("two ") && !replies.emit("three ");
    return is_right && answered == "first one second two " ? 0 : 1;
}
