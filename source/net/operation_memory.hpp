// Memory for an asynchronous operation, held by its caller.
#pragma once

#include "net/asio.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_allocator.hpp>

#include <array>
#include <cstddef>
#include <new>
#include <utility>

namespace causeway::net {

/// Memory for one Asio operation at a time, so that it needs no heap allocation. An operation that is too large, or
/// begins while another is pending, uses the heap. This object outlives the operations, and may be in the frame of the
/// coroutine that awaits them, however that ends: an operation releases its memory before it resumes the coroutine, and
/// before it destroys the coroutine with the event loop. Belongs to one event loop; every call is made on its thread.
class operation_memory {
public:
    operation_memory() = default;
    operation_memory(const operation_memory&) = delete;
    operation_memory& operator=(const operation_memory&) = delete;

    /// Throws `std::bad_alloc` when the heap is needed and has no memory left.
    void* allocate(std::size_t size) { return taken_ || size > room_.size() ? ::operator new(size) : take(); }

    /// `place` is from `allocate`.
    void deallocate(void* place) noexcept
    {
        if (place == room_.data())
            taken_ = false;
        else
            ::operator delete(place);
    }

private:
    void* take() noexcept
    {
        taken_ = true;
        return room_.data();
    }

    // The largest operation that uses such memory here is a read from a socket: 136 bytes.
    alignas(std::max_align_t) std::array<std::byte, 143> room_;
    bool taken_ = false;
};

/// Adapts `operation_memory` to the allocator requirements; `memory` outlives it.
template <class T>
class operation_allocator {
public:
    using value_type = T;

    explicit operation_allocator(operation_memory& memory) noexcept
        : memory_(&memory)
    {
    }

    template <class U>
    operation_allocator(const operation_allocator<U>& other) noexcept
        : memory_(other.memory_)
    {
    }

    T* allocate(std::size_t count)
    {
        static_assert(alignof(T) <= alignof(std::max_align_t));
        return static_cast<T*>(memory_->allocate(count * sizeof(T)));
    }

    void deallocate(T* place, std::size_t /*count*/) noexcept { memory_->deallocate(place); }

    friend bool operator==(const operation_allocator&, const operation_allocator&) = default;

private:
    template <class U>
    friend class operation_allocator;

    operation_memory* memory_;
};

/// Completion token: like `asio::deferred`, with the operation in `memory`. In Boost 1.81 Asio's own `bind_allocator`
/// cannot be applied to `deferred`.
class deferred_in {
public:
    /// `memory` outlives the operation.
    explicit deferred_in(operation_memory& memory) noexcept
        : memory_(&memory)
    {
    }

    /// The handler with an allocator for `memory`.
    template <class Handler>
    auto bind(Handler&& handler) const
    {
        return asio::bind_allocator(operation_allocator<void*>(*memory_), std::forward<Handler>(handler));
    }

private:
    operation_memory* memory_;
};

} // namespace causeway::net

/// @cond
template <class Signature>
struct boost::asio::async_result<causeway::net::deferred_in, Signature> {
    template <class Initiation, class... Arguments>
    static auto initiate(Initiation&& initiation, causeway::net::deferred_in token, Arguments&&... arguments)
    {
        return async_initiate<const deferred_t&, Signature>(
            [initiation = std::forward<Initiation>(initiation), token](auto&& handler, auto&&... rest) mutable {
                std::move(initiation)(token.bind(std::forward<decltype(handler)>(handler)),
                                      std::forward<decltype(rest)>(rest)...);
            },
            deferred, std::forward<Arguments>(arguments)...);
    }
};
/// @endcond
