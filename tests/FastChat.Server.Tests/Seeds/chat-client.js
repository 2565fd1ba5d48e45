// User selects a chatbot from the UI
const chatbotId = "selected_chatbot_id";

// Create chat session (requires JWT token in Authorization header)
const sessionResponse = await fetch(`/chatbot/${chatbotId}/session`, {
    method: 'POST',
    headers: {
        'Authorization': `Bearer ${userJwtToken}`,
        'Content-Type': 'application/json'
    }
});

const sessionData = await sessionResponse.json();
console.log(sessionData);
// {
//   "session_id": "uuid-here",
//   "conversation_id": "conversation-id",
//   "chatbot_id": "chatbot-id",
//   "chatbot_name": "My Assistant",
//   "previous_messages": [...]
// }

// Connect to WebSocket with session ID and JWT token
const wsUrl = `ws://localhost:8000/ws/chat/${sessionData.session_id}?token=${userJwtToken}`;
const socket = new WebSocket(wsUrl);

socket.onopen = () => {
    console.log('Connected to chat');
};

socket.onmessage = (event) => {
    const data = JSON.parse(event.data);
    
    switch(data.type) {
        case 'session_info':
            console.log('Session info:', data);
            displayMessage('system', data.message);
            break;
            
        case 'message_received':
            console.log('Message acknowledged:', data.message_id);
            break;
            
        case 'response_start':
            console.log('Assistant is responding...');
            createNewAssistantMessage(); // Create empty message bubble
            break;
            
        case 'response_chunk':
            appendToAssistantMessage(data.chunk); // Append chunk to current message
            break;
            
        case 'response_complete':
            console.log('Response complete:', data.message_id);
            finalizeAssistantMessage(data.full_response);
            break;
            
        case 'error':
            console.error('Chat error:', data.message);
            displayError(data.message);
            break;
    }
};

socket.onerror = (error) => {
    console.error('WebSocket error:', error);
};

socket.onclose = () => {
    console.log('WebSocket closed');
};

function sendMessage(messageText) {
    if (socket.readyState === WebSocket.OPEN) {
        const messageData = {
            message: messageText,
            message_type: "text"
        };
        
        socket.send(JSON.stringify(messageData));
        
        // Display user message immediately
        displayMessage('user', messageText);
    }
}

// Example usage
sendMessage("Hello, can you help me with my project?");

// Display previous messages from the session
function displayPreviousMessages(messages) {
    messages.forEach(msg => {
        displayMessage(msg.role, msg.message, msg.created_at);
    });
}

// Call this after creating session
displayPreviousMessages(sessionData.previous_messages);

// Gracefully close session when user navigates away
function closeSession() {
    if (sessionData?.session_id) {
        fetch(`/chatbot/session/${sessionData.session_id}`, {
            method: 'DELETE',
            headers: {
                'Authorization': `Bearer ${userJwtToken}`
            }
        });
    }
    
    if (socket) {
        socket.close();
    }
}

// Call on page unload
window.addEventListener('beforeunload', closeSession);
