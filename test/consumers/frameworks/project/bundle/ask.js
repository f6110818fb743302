import { Troupe } from 'troupe';
import { askAll } from '../ask.js';

askAll({ Troupe }).then((said) => console.log(JSON.stringify(said)));
