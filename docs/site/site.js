// A first visitor sees the guides unfolded; whoever folds them finds them folded again.
const GUIDES = 'tsd-accordion-Guides';
if (localStorage.getItem(GUIDES) === null) localStorage.setItem(GUIDES, 'true');
